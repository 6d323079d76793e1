"""Comparing engines on the operator's own recordings: how much they get wrong, how long they take, what they cost."""

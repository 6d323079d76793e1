"""Starts services in order, keeps them alive and leaves nothing behind.

Two processes watch each other. The *front* (`front.py`) is what the user started; the *guardian*
(`guardian.py`) is its child and the parent of every service. Both are subreapers, so whatever a service
leaves behind becomes their child: if the front dies the guardian stops everything, and if the guardian
dies the front does.
"""

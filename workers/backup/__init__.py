"""Backups of a whole installation, and restoring one into quarantine."""

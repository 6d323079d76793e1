"""Walls of the webhook tables."""

from apikit.walls import Wall

WALLS: tuple[Wall, ...] = ()

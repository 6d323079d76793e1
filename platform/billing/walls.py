"""Walls of the billing tables."""

from apikit.walls import Wall

WALLS: tuple[Wall, ...] = ()

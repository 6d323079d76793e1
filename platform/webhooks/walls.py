"""Tenants keep their endpoints and read their log; fan-out and senders work as the system."""

from apikit.walls import Wall

WALLS = (
    Wall("webhook_endpoint", app="SELECT, INSERT, UPDATE", system="SELECT, UPDATE", finance=""),
    Wall("delivery", app="SELECT, UPDATE", system="SELECT, INSERT, UPDATE", finance=""),
    Wall("delivery_attempt", app="SELECT", system="SELECT, INSERT, UPDATE", finance=""),
)

"""Events are added by the tenant's own role and moved on by the system; the audit log only grows."""

from apikit.walls import Wall
from events import procedures

WALLS = (
    Wall("outbox_event", app="SELECT, INSERT", system="SELECT, INSERT, UPDATE"),
    Wall("audit_entry", app="SELECT, INSERT", system="SELECT, INSERT"),
)
FUNCTIONS = procedures.FUNCTIONS

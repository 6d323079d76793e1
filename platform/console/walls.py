"""Finance's people are read and written as `system`; a tenant's own code sees its tenant's people, and no others."""

from apikit.walls import Wall

WALLS = tuple(
    Wall(table, app="SELECT, INSERT, UPDATE, DELETE", system="SELECT, INSERT, UPDATE, DELETE", finance="")
    for table in ("staff", "staff_link", "staff_session")
)

"""Staff are read and written as `system`; neither tenants' code nor finance's reads may."""

from apikit.walls import Wall

WALLS = tuple(
    Wall(table, system="SELECT, INSERT, UPDATE, DELETE", finance="", tenant_column=None)
    for table in ("staff", "staff_link", "staff_session")
)

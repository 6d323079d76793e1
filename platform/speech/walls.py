"""Facts about engines are everybody's to read and the operator's to write; uses and notices belong to a tenant."""

from apikit.walls import Wall

WALLS = (
    Wall("model_edit", app="SELECT", system="SELECT", tenant_column=None),
    Wall("engine_quality", app="SELECT", system="SELECT", tenant_column=None),
    Wall("model_use", app="SELECT, INSERT, UPDATE", system="SELECT", finance=""),
    Wall("model_notice", system="SELECT, INSERT", finance=""),
)

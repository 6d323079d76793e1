"""Row-level security and grants, declared beside each package's tables and applied after every migration.

A package lists its public tables as `Wall`s. Applying is idempotent, so a changed role or right needs no migration.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Roles:
    """The PostgreSQL roles in force; `finance` is optional."""

    app: str
    system: str
    owner: str
    finance: str | None


@dataclass(frozen=True, slots=True)
class Wall:
    """One public table: which rights each role has, and the column that names the tenant (None: no tenant rows).

    `shared_rows`: a row without a tenant is everybody's to read.
    """

    table: str
    app: str = ""
    system: str = ""
    finance: str = "SELECT"
    tenant_column: str | None = "tenant_id"
    shared_rows: bool = False


def statements(walls: Iterable[Wall], roles: Roles) -> list[str]:
    """The SQL that puts every wall up, in order."""
    return [sql for wall in walls for sql in (*_grants(wall, roles), *_policies(wall, roles))]


def _grants(wall: Wall, roles: Roles) -> list[str]:
    rights = {roles.app: wall.app, roles.system: wall.system}
    if roles.finance:
        rights[roles.finance] = wall.finance
    sql = []
    for role, granted in rights.items():
        sql.append(f'REVOKE ALL ON public."{wall.table}" FROM "{role}"')
        if granted:
            sql.append(f'GRANT {granted} ON public."{wall.table}" TO "{role}"')
    return sql


def _policies(wall: Wall, roles: Roles) -> list[str]:
    if wall.tenant_column is None:
        return []
    table = f'public."{wall.table}"'
    own_rows = f"{wall.tenant_column} = nullif(current_setting('app.tenant_id', true), '')::uuid"
    if wall.shared_rows:
        own_rows += f" OR {wall.tenant_column} IS NULL"
    readers = [role for role in (roles.system, roles.owner, roles.finance) if role]
    sql = [f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY", f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"]
    sql += _policy(table, f"tenant_rows ON {table}", roles.app, own_rows)
    for role in readers:
        sql += _policy(table, f'"rows_of_{role}" ON {table}', role, "true")
    return sql


def _policy(table: str, name_and_table: str, role: str, condition: str) -> list[str]:
    return [
        f"DROP POLICY IF EXISTS {name_and_table}",
        f'CREATE POLICY {name_and_table} FOR ALL TO "{role}" USING ({condition}) WITH CHECK ({condition})',
    ]

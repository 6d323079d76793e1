"""What PostgreSQL itself knows of a schema, in words that do not name the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections

_COLUMNS = """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
 pg_get_expr(d.adbin, d.adrelid) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
 LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped"""
_INDEXES = """SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
 WHERE c.relnamespace = %s::regnamespace"""
_CONSTRAINTS = """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE connamespace = %s::regnamespace"""
_POLICIES = "SELECT tablename, policyname, cmd, roles::text, qual, with_check FROM pg_policies WHERE schemaname = %s"
_TABLES = """SELECT relname, relrowsecurity, relforcerowsecurity, relacl::text FROM pg_class
 WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'S')"""
_SCHEMA = "SELECT nspacl::text FROM pg_namespace WHERE nspname = %s"
FACTS = {
    "columns": _COLUMNS, "indexes": _INDEXES, "constraints": _CONSTRAINTS, "policies": _POLICIES, "tables": _TABLES,
    "schema": _SCHEMA,
}  # fmt: skip


def facts_of(schema: str, *, tenant_id: Any) -> dict[str, list[str]]:
    """Everything about a tenant's schema, with its name and the tenant's id taken out."""
    return {
        kind: sorted(
            str(row).replace(schema, "SCHEMA").replace(str(tenant_id), "TENANT") for row in rows(sql, [schema])
        )
        for kind, sql in FACTS.items()
    }


def rows(sql: str, values: Sequence[Any] | Mapping[str, Any] = (), *, using: str = "owner") -> list[tuple[Any, ...]]:
    """All rows of a query; as the owner, who sees everything, unless told otherwise."""
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values or None)
        return list(cursor.fetchall())

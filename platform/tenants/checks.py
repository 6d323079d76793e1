"""What must be true of the database before anything is served: the walls cannot be walked around."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

ROLES = (DEFAULT_DB_ALIAS, "system")

_RIGHTS = """SELECT r.rolname, r.rolsuper, r.rolbypassrls,
  (SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'S'))
 FROM pg_roles r WHERE r.rolname = current_user"""


class UnsafeDatabase(Exception):
    """The service refuses to start; the message says what to change."""


def check_database() -> None:
    """Raises `UnsafeDatabase` when a role could bypass row-level security or a pooler mixes up sessions."""
    for alias in ROLES:
        _check_role(alias)
    _check_pooler()


def _check_role(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(_RIGHTS)
        name, superuser, bypass, owned = cursor.fetchone()
    found = [
        text
        for wrong, text in ((superuser, "is a superuser"), (bypass, "has BYPASSRLS"), (owned, f"owns {owned} tables"))
        if wrong
    ]
    if found:
        raise UnsafeDatabase(
            f"The database role {name} {' and '.join(found)}, so it could see every tenant's rows. Use a role with "
            "NOSUPERUSER NOBYPASSRLS that owns nothing; `parlance migrate` gives it the rights it needs."
        )


def _check_pooler() -> None:
    """A pooler in transaction mode gives each transaction another session: schema and tenant would be lost or leak.

    PgBouncer shows itself by a backend pid in the protocol that is not PostgreSQL's own. It is then made to show its
    mode: while a second connection holds a session, the first one's session must stay the same.
    """
    first = connections[DEFAULT_DB_ALIAS]
    first.ensure_connection()
    assert first.connection is not None
    if first.connection.info.backend_pid == _session(first):
        return
    before = _session(first)
    second = first.copy()
    try:
        second.set_autocommit(False)
        _session(second)
        after = _session(first)
    finally:
        second.close()
    if before != after:
        raise UnsafeDatabase(
            "DATABASE_URL leads to a pooler in transaction mode. Use session mode (pool_mode = session)."
        )


def _session(connection: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])

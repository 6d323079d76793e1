"""Whose data the code may see: one ContextVar that the database backend follows.

None means the public schema and no tenant's rows. django-tenants' own `schema_context`, `with tenant:` and
`.activate()` do not work with this backend and are banned by a test.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class TenantRef:
    """What the backend needs of a tenant: its id (for row-level security) and its schema (for search_path)."""

    id: UUID | None
    schema_name: str

    def get_tenant_type(self) -> None:
        """django-tenants asks for it; there is one type."""


PUBLIC = TenantRef(id=None, schema_name="public")
_current: ContextVar[TenantRef] = ContextVar("tenant", default=PUBLIC)


def current_tenant() -> TenantRef:
    """The tenant in force, or `PUBLIC`."""
    return _current.get()


def enter(tenant: TenantRef) -> Token[TenantRef]:
    """Switch to the tenant; hand the token to `leave`."""
    return _current.set(tenant)


def leave(token: Token[TenantRef]) -> None:
    """Back to what was in force before `enter`."""
    _current.reset(token)


@contextmanager
def tenant_context(tenant: TenantRef) -> Iterator[TenantRef]:
    """Inside, every query of the `default` connection sees this tenant's schema and rows only."""
    token = enter(tenant)
    try:
        yield tenant
    finally:
        leave(token)

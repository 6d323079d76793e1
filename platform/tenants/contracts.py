"""Values that cross the border of `tenants`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tenants.context import TenantRef


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, known from the key alone."""

    tenant: TenantRef
    key_id: UUID
    livemode: bool
    scopes: frozenset[str]
    currency: str
    weight: int
    active: bool = True

    @property
    def tenant_id(self) -> UUID:
        assert self.tenant.id is not None
        return self.tenant.id


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant just made."""

    id: UUID
    name: str
    schema_name: str


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `secret` is shown once and stored nowhere."""

    id: UUID
    secret: str
    livemode: bool
    scopes: tuple[str, ...]
    expires_at: datetime | None

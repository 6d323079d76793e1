"""Reads."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from apikit import ids
from tenants.context import TenantRef
from tenants.contracts import Policies
from tenants.models import Tenant


@lru_cache(maxsize=4096)
def tenant_ref(tenant_id: UUID) -> TenantRef:
    """The tenant's schema, for workers that hold only its id. A schema's name never changes, so it may be cached."""
    ref: TenantRef = Tenant.objects.using("system").get(pk=tenant_id).ref
    return ref


def find_tenant(name_or_id: str) -> Tenant | None:
    """A tenant by its id (`ten_…`) or its name; None when there is none or the name is not unique."""
    tenants = Tenant.objects.using("owner")
    tenant_id = ids.parse(ids.TENANT, name_or_id)
    found = list(tenants.filter(pk=tenant_id) if tenant_id else tenants.filter(name=name_or_id)[:2])
    return found[0] if len(found) == 1 else None


def policies_of(tenant_id: UUID, *, using: str = "owner") -> Policies:
    """The tenant's policies as they stand now, for operators and the sweeper (requests carry theirs in `Caller`)."""
    return Policies.parse(Tenant.objects.using(using).values_list("policies", flat=True).get(pk=tenant_id))


def currency_of(tenant_id: UUID) -> str:
    """The ISO 4217 currency that the tenant is billed in."""
    return str(Tenant.objects.using("system").values_list("currency", flat=True).get(pk=tenant_id))


def all_tenants() -> list[Tenant]:
    """Every tenant, oldest first (operators only)."""
    return list(Tenant.objects.using("owner").order_by("id"))

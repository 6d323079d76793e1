"""Writes of tenants. Each function is one transaction with its audit entry."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID
from zoneinfo import available_timezones

from django.db import transaction

from apikit.currencies import exponent
from apikit.ids import new_id
from egress.facade import UrlBlocked, check_url, untrusted
from events.facade import record_audit
from tenants import forgetting, schemas, vault
from tenants.contracts import NewKey, NewTenant, Policies
from tenants.key_services import create_key
from tenants.models import Tenant

OWNER = "owner"


def create_tenant(name: str, *, currency: str = "USD", time_zone: str = "UTC", actor: str = "operator") -> NewTenant:
    """Make a tenant with its schema and data key in one transaction: all of it, or nothing.

    Raises ValueError for what is no ISO 4217 currency and no IANA time zone.
    """
    exponent(currency)
    if time_zone not in available_timezones():
        raise ValueError(f"{time_zone!r} is no IANA time zone. Write it like Asia/Seoul or UTC.")
    tenant_id = new_id()
    tenant = Tenant(id=tenant_id, name=name, schema_name=f"t_{tenant_id.hex}", currency=currency, time_zone=time_zone)
    with transaction.atomic(using=OWNER):
        schemas.create_schema(tenant)
        tenant.save(using=OWNER, force_insert=True)
        vault.create_data_key(tenant_id)
        after = {"name": name, "currency": currency, "time_zone": time_zone}
        record_audit(
            "tenant.created", actor=actor, subject=str(tenant_id), tenant_id=tenant_id, after=after, using=OWNER
        )
    return NewTenant(id=tenant_id, name=name, schema_name=tenant.schema_name)


def create_tenant_with_keys(
    name: str, *, currency: str, time_zone: str, actor: str = "operator"
) -> tuple[NewTenant, NewKey, NewKey]:
    """A tenant with its first live and its first test key, in one transaction. Raises ValueError as above."""
    with transaction.atomic(using=OWNER):
        made = create_tenant(name, currency=currency, time_zone=time_zone, actor=actor)
        live = create_key(made.id, name="first key", actor=actor)
        test = create_key(made.id, livemode=False, name="first test key", actor=actor)
    return made, live, test


def suspend(tenant_id: UUID, *, actor: str = "operator") -> bool:
    """New work is refused from now on; what runs ends, and reading goes on. False when it was not active."""
    return _switch(tenant_id, "suspended", was=Tenant.Status.ACTIVE, now=Tenant.Status.SUSPENDED, actor=actor)


def resume(tenant_id: UUID, *, actor: str = "operator") -> bool:
    """A suspended tenant may start work again. False when it was not suspended."""
    return _switch(tenant_id, "resumed", was=Tenant.Status.SUSPENDED, now=Tenant.Status.ACTIVE, actor=actor)


def _switch(tenant_id: UUID, action: str, *, was: Tenant.Status, now: Tenant.Status, actor: str) -> bool:
    with transaction.atomic(using=OWNER):
        changed = Tenant.objects.using(OWNER).filter(pk=tenant_id, status=was).update(status=now)
        if changed:
            record_audit(
                f"tenant.{action}", actor=actor, subject=str(tenant_id), tenant_id=tenant_id, using=OWNER,
                before={"status": str(was)}, after={"status": str(now)},
            )  # fmt: skip
            forgetting.forget_on_commit(using=OWNER)
    return bool(changed)


def set_policies(tenant_id: UUID, *, policies: Policies, actor: str = "operator") -> Policies:
    """Replace the tenant's policies; in force within seconds, when processes read their keys again.

    Raises ValueError for what is not a host name. Returns them as they were stored.
    """
    if policies.webhook_hosts is not None:
        policies = replace(policies, webhook_hosts=tuple(sorted({_host(name) for name in policies.webhook_hosts})))
    with transaction.atomic(using=OWNER):
        tenant = Tenant.objects.using(OWNER).select_for_update().get(pk=tenant_id)
        before, after = Policies.parse(tenant.policies).stored(), policies.stored()
        tenant.policies = after
        tenant.save(using=OWNER, update_fields=["policies"])
        record_audit(
            "tenant.policies_changed", actor=actor, subject=str(tenant_id), tenant_id=tenant_id, before=before,
            after=after, using=OWNER,
        )  # fmt: skip
        forgetting.forget_on_commit(using=OWNER)
    return policies


def _host(name: str) -> str:
    """The name as URLs are read: lower case, ASCII, neither port nor path."""
    try:
        target = check_url(f"https://{name}/", policy=untrusted())
    except UrlBlocked:
        target = None
    if target is None or target.host != name.lower():
        raise ValueError(f"{name!r} is not a public host name. Write it like hooks.example.com (xn--… for others).")
    return target.host

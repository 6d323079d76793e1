"""Writes: tenants and keys. Each function is one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_network
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apikit.ids import new_id
from apikit.limits.contracts import NO_RATES, Rates, narrower_of, parse_rates, stored_rates
from egress.facade import UrlBlocked, check_url, untrusted
from events.facade import record_audit
from tenants import keys, schemas, vault
from tenants.contracts import Caller, NewKey, NewTenant, Policies
from tenants.errors import WiderThanSelf
from tenants.models import ApiKey, Tenant
from tenants.routing_policy import ANY_ENGINE, RoutingPolicy, narrowed

OWNER = "owner"
MAX_OVERLAP = timedelta(days=7)  # longer, and a leaked key lives on unnoticed


@lru_cache(maxsize=1)
def peppers() -> keys.Peppers:
    """The peppers in force, read once."""
    return keys.Peppers(keys.parse_versions(settings.KEY_PEPPERS))


def create_tenant(name: str, *, currency: str = "USD", time_zone: str = "UTC", actor: str = "operator") -> NewTenant:
    """Make a tenant with its schema and data key in one transaction: all of it, or nothing."""
    tenant_id = new_id()
    tenant = Tenant(id=tenant_id, name=name, schema_name=f"t_{tenant_id.hex}", currency=currency, time_zone=time_zone)
    with transaction.atomic(using=OWNER):
        schemas.create_schema(tenant)
        tenant.save(using=OWNER, force_insert=True)
        vault.create_data_key(tenant_id)
        record_audit("tenant.created", actor=actor, subject=str(tenant_id), tenant_id=tenant_id, using=OWNER)
    return NewTenant(id=tenant_id, name=name, schema_name=tenant.schema_name)


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


def create_key(
    tenant_id: UUID,
    *,
    livemode: bool = True,
    scopes: Iterable[str] = keys.SCOPES,
    name: str = "",
    ip_allow: Sequence[str] = (),
    expires_at: datetime | None = None,
    routing: RoutingPolicy = ANY_ENGINE,
    limits: Rates = NO_RATES,
    by: Caller | None = None,
    using: str = OWNER,
) -> NewKey:
    """Mint a key. A caller's key mints in its own tenant, mode and scopes only; raises `WiderThanSelf`.

    What the caller's key may not use of engines, the new one may not either.
    """
    wanted = frozenset(scopes)
    _check_scopes(wanted, livemode=livemode, tenant_id=tenant_id, by=by)
    secret = keys.generate(livemode=livemode)
    row = ApiKey(
        tenant_id=tenant_id,
        livemode=livemode,
        name=name,
        digest=peppers().digest(secret, peppers().newest),
        pepper_version=peppers().newest,
        hint=keys.hint(secret),
        scopes=sorted(wanted),
        ip_allow=[str(ip_network(address, strict=False)) for address in ip_allow],
        expires_at=expires_at,
        created_by=str(by.key_id) if by else "operator",
        routing=narrowed([routing, by.routing] if by else [routing]).stored(),
        limits=stored_rates({**limits, **(narrower_of(limits, by.limits) if by else {})}),
    )
    with transaction.atomic(using=using):
        row.save(using=using, force_insert=True)
        record_audit(
            "api_key.created", actor=row.created_by, subject=str(row.id), tenant_id=tenant_id, using=using,
            after={"scopes": row.scopes, "livemode": livemode, "hint": row.hint},
        )  # fmt: skip
    return NewKey(id=row.id, secret=secret, livemode=livemode, scopes=tuple(row.scopes), expires_at=expires_at)


def rotate_key(key_id: UUID, *, overlap: timedelta, by: Caller | None = None, using: str = OWNER) -> NewKey:
    """A new key with the old one's rights; the old one dies after the overlap (0 to 7 days)."""
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise ValueError("overlap must be between 0 and 7 days")
    with transaction.atomic(using=using):
        old = ApiKey.objects.using(using).select_for_update().get(pk=key_id, revoked_at=None)
        new = create_key(
            old.tenant_id, livemode=old.livemode, scopes=old.scopes, name=old.name, ip_allow=old.ip_allow,
            expires_at=old.expires_at, routing=RoutingPolicy.parse(old.routing), limits=parse_rates(old.limits), by=by,
            using=using,
        )  # fmt: skip
        end = datetime.now(UTC) + overlap
        old.expires_at = min(old.expires_at, end) if old.expires_at else end
        old.replaced_by = new.id
        old.save(using=using, update_fields=["expires_at", "replaced_by"])
    return new


def revoke_key(key_id: UUID, *, actor: str, using: str = OWNER) -> bool:
    """Revoke at once; False when there is no such living key."""
    with transaction.atomic(using=using):
        living = ApiKey.objects.using(using).filter(pk=key_id, revoked_at=None)
        row = living.first()
        if row is None:
            return False
        living.update(revoked_at=datetime.now(UTC))
        record_audit("api_key.revoked", actor=actor, subject=str(key_id), tenant_id=row.tenant_id, using=using)
    return True


def _check_scopes(scopes: frozenset[str], *, livemode: bool, tenant_id: UUID, by: Caller | None) -> None:
    unknown = scopes - keys.SCOPES
    if unknown:
        raise ValueError(f"unknown scopes: {', '.join(sorted(unknown))}. Known: {', '.join(sorted(keys.SCOPES))}.")
    if by and (by.tenant_id != tenant_id or by.livemode != livemode or not scopes <= by.scopes):
        raise WiderThanSelf("A key can only mint keys of its own tenant, mode and scopes.")

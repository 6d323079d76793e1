"""From an `Authorization` header to a `Caller`. The tenant is known from the key and from nothing else."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from apikit.limits.contracts import NO_RATES, parse_rates
from tenants import keys
from tenants.context import PUBLIC, TenantRef, tenant_context
from tenants.contracts import NO_POLICIES, Caller, Policies
from tenants.errors import AddressRefused, KeyRefused, TenantSuspended
from tenants.forgetting import KEYS, ears, trusted_s, when_told
from tenants.key_rights import is_inside
from tenants.peppers import peppers
from tenants.routing_policy import ANY_ENGINE, RoutingPolicy

CACHE_SIZE = 10_000
USED_EVERY_S = 60.0


@dataclass(slots=True)
class _Known:
    caller: Caller
    ip_allow: tuple[str, ...]
    status: str
    ends_at: datetime | None
    read_at: float
    used_at: float = 0.0


_cache: dict[bytes, _Known] = {}
_forgotten = 0  # how often: what was read before the last time must not be kept


def listen_for_changes() -> None:
    """Hear in the running event loop when keys change; once is enough."""
    ears.start()


def cached(key: str, *, address: str) -> Caller | None:
    """The caller if this key was read within the last seconds, without a database; same refusals as `authenticate`."""
    known = _cache.get(_digest(key)) if keys.is_well_formed(key) else None
    if known is None or time.monotonic() - known.read_at > trusted_s() or _needs_stamp(known):
        return None
    return _admit(known, address=address)


def authenticate(key: str, *, address: str) -> Caller:
    """The caller of a key; raises `KeyRefused`, `AddressRefused` or `TenantSuspended`."""
    if not keys.is_well_formed(key):
        raise KeyRefused
    forgotten = _forgotten
    known = _read(key)
    caller = _admit(known, address=address)
    _stamp(known)
    if len(_cache) >= CACHE_SIZE:
        _cache.clear()
    if forgotten == _forgotten:
        _cache[_digest(key)] = known
    return caller


def forget_keys() -> None:
    """Drop the cache: a key was revoked or changed."""
    global _forgotten
    _forgotten += 1
    _cache.clear()


when_told(KEYS, forget_keys)


def _admit(known: _Known, *, address: str) -> Caller:
    if known.ends_at is not None and known.ends_at <= datetime.now(UTC):
        raise KeyRefused
    if known.ip_allow and not is_inside(address, known.ip_allow):
        raise AddressRefused
    if known.status == "closed":
        raise KeyRefused
    return known.caller


def check_may_start(caller: Caller) -> None:
    """Raises `TenantSuspended` unless the tenant may start new work."""
    if not caller.active:
        raise TenantSuspended


def _digest(key: str) -> bytes:
    return peppers().digest(key, peppers().newest)


def _read(key: str) -> _Known:
    with tenant_context(PUBLIC), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM public.parlance_known_key(%s)", [peppers().digests(key)])
        row = cursor.fetchone()
    if row is None or row[7] is not None:
        raise KeyRefused
    return _known(row)


def _known(row: tuple[Any, ...]) -> _Known:
    (
        key_id,
        tenant_id,
        schema_name,
        livemode,
        scopes,
        ip_allow,
        expires_at,
        _revoked,
        status,
        weight,
        currency,
        policies,
        routing,
        limits,
    ) = row
    caller = Caller(
        tenant=TenantRef(id=tenant_id, schema_name=schema_name),
        key_id=key_id,
        livemode=livemode,
        scopes=frozenset(scopes),
        currency=currency,
        weight=weight,
        active=status == "active",
        policies=NO_POLICIES if policies == "{}" else Policies.parse(json.loads(policies)),
        routing=ANY_ENGINE if routing == "{}" else RoutingPolicy.parse(json.loads(routing)),
        limits=NO_RATES if limits == "{}" else parse_rates(json.loads(limits)),
    )
    return _Known(caller, tuple(ip_allow), status, expires_at, time.monotonic())


def _needs_stamp(known: _Known) -> bool:
    return time.monotonic() - known.used_at > USED_EVERY_S


def _stamp(known: _Known) -> None:
    with tenant_context(PUBLIC), connection.cursor() as cursor:
        cursor.execute("SELECT public.parlance_key_used(%s)", [[known.caller.key_id]])
    known.used_at = time.monotonic()

"""Who is limited how: the operator's default for everybody, a tenant's own rates, and a key's beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db import connection

from apikit.limits.answers import refusal
from apikit.limits.contracts import METERS, Charge, Limit, Limited, Meter, Place, Rate, Rates, parse_rates
from apikit.limits.leases import Leases
from apikit.limits.limiter import Limiter
from tenants.contracts import Caller, Policies

OWN = "key-"  # a key's own rates are named so beside its tenant's
_OF_JOB = """SELECT t.policies, k.limits FROM tenant t LEFT JOIN api_key k ON k.id = %s AND k.tenant_id = t.id
 WHERE t.id = %s"""


@dataclass(frozen=True, slots=True)
class RateNow:
    """One rate that binds a key, and how it stands; `name` as in the header `RateLimit`."""

    name: str
    meter: Meter
    own: bool  # the key's; else all of the tenant's keys of its mode share it
    quota: int
    period_s: int
    left: int
    full_again_s: int


@lru_cache(maxsize=1)
def limiter() -> Limiter:
    """The one limiter of this process."""
    return Limiter(settings.REDIS_URL, processes=settings.LIMIT_PROCESSES)


@lru_cache(maxsize=1)
def leases() -> Leases:
    """The one keeper of places of this process, for its event loop."""
    return Leases(settings.REDIS_URL, processes=settings.LIMIT_PROCESSES)


def places_of(caller: Caller) -> list[Place]:
    """The places that a request of the caller's needs while it is under way; empty where nothing is limited."""
    shared, own = _rate_of(caller.policies, "concurrency"), caller.limits.get("concurrency")
    places = [Place(_tenant_bucket(caller), "concurrency", shared.quota)] if shared else []
    return [*places, Place(str(caller.key_id), f"{OWN}concurrency", own.quota)] if own else places


def charges_of(caller: Caller, costs: Mapping[Meter, int]) -> list[Charge]:
    """What a request has to fit into; empty where nothing is limited, which then costs nothing."""
    tenant = _tenant_bucket(caller)
    return list(_charges(costs, tenant=tenant, policies=caller.policies, key=caller.key_id, key_rates=caller.limits))


def rates_now(caller: Caller) -> list[RateNow]:
    """Every rate that binds the caller, without using any of it; a meter that is not limited has none."""
    charges = charges_of(caller, dict.fromkeys(METERS, 0))  # a charge of nothing only looks
    if not charges:
        return []
    now = limiter().charge(charges)
    return [
        RateNow(one.name, _meter(one), one.name.startswith(OWN), one.rate.quota, one.rate.period_s, left, again_s)
        for one, left, again_s in zip(charges, now.left, now.full_again_s, strict=True)
    ]


def charge(caller: Caller, costs: Mapping[Meter, int]) -> None:
    """Take it, or raise a 429 `Problem` and take nothing."""
    charges = charges_of(caller, costs)
    if charges:
        try:
            limiter().charge(charges)
        except Limited as error:
            raise refusal(error) from None


def wait_for_turn(
    tenant_id: UUID, key_id: UUID | None, *, livemode: bool, costs: Mapping[Meter, int]
) -> Limited | None:
    """Take it for a job that was accepted already; what was refused says how long it has to wait."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_JOB, [key_id, tenant_id])
        policies, own = cursor.fetchone()
    tenant = f"{tenant_id}:{'live' if livemode else 'test'}"
    key_rates = parse_rates(json.loads(own)) if own else {}
    charges = list(
        _charges(costs, tenant=tenant, policies=Policies.parse(json.loads(policies)), key=key_id, key_rates=key_rates)
    )
    try:
        if charges:
            limiter().charge(charges)
    except Limited as error:
        return error
    return None


def _charges(
    costs: Mapping[Meter, int], *, tenant: str, policies: Policies, key: UUID | None, key_rates: Rates
) -> Iterator[Charge]:
    for meter, cost in costs.items():
        rate, own = _rate_of(policies, meter), key_rates.get(meter)
        if rate is not None:
            yield Charge(f"{tenant}:{meter}", meter, rate, cost)
        if own is not None:
            yield Charge(f"{key}:{meter}", f"{OWN}{meter}", own, cost)


def _rate_of(policies: Policies, name: Limit) -> Rate | None:
    """The tenant's own, else its plan's, else everybody's."""
    of_plan = settings.PLAN_LIMITS.get(policies.plan, {}).get(name)
    found: Rate | None = policies.limits.get(name) or of_plan or settings.DEFAULT_LIMITS.get(name)
    return found


def _tenant_bucket(caller: Caller) -> str:
    return f"{caller.tenant_id}:{'live' if caller.livemode else 'test'}"


def _meter(charge: Charge) -> Meter:
    return next(meter for meter in METERS if charge.name.endswith(meter))

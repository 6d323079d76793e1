"""Choosing an engine with what is known now: catalogue, prices, measurements and circuits, all from memory mostly."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from billing.facade import BYOK, hourly_rates
from speech import pools
from speech.breakers import troubled
from speech.catalogue import Catalogue, with_added
from speech.catalogue_seeds import SEEDS
from speech.engines.ports import Capabilities
from speech.engines.speakers import SPEAKERS
from speech.models import TranscriptionRequest
from speech.offers.current import catalogue, quality
from speech.options import Options
from speech.own_credentials.contracts import is_own
from speech.routing import Outlook, Route, Wishes, choose
from tenants.facade import RoutingPolicy, current_tenant


def available() -> tuple[Capabilities, ...]:
    """What the engines of this installation can do, with the models that the operator has added."""
    return _with_added(pools.available(), _Identity(catalogue()))


def known_engines() -> frozenset[str]:
    """Every engine that can be named in a policy, set up here or not: who denies one may do so before it is."""
    return frozenset((*(model.engine for model in catalogue().values()), *pools.engine_names(), *SPEAKERS))


def route_of(wishes: Wishes, *, currency: str) -> Route:
    """The route for an order; raises `NoEngine`."""
    engines = available()
    return choose(wishes, available=engines, outlook=_outlook(wishes, engines, currency=currency))


def route_again(request: TranscriptionRequest, options: Options) -> Route:
    """The route of a job that was accepted before; raises `NoEngine` when nobody can do it any more."""
    policy = RoutingPolicy.parse(request.routing.get("policy", {}))
    wishes = Wishes(livemode=request.livemode, engine=request.engine or None, options=options, policy=policy)
    return route_of(wishes, currency=request.routing.get("currency", ""))


def _outlook(wishes: Wishes, engines: tuple[Capabilities, ...], *, currency: str) -> Outlook:
    """A test key's job runs on the simulated engine whatever is known of others."""
    if not wishes.livemode:
        return Outlook(models=catalogue())
    waits = troubled(engine.executor for engine in engines)
    return Outlook(
        models=catalogue(),
        rates=_rates(engines, currency=currency) if currency else {},
        currency=currency,
        measured=quality(),
        troubled={engine.name: waits[engine.executor] for engine in engines if engine.executor in waits},
    )


def _rates(engines: tuple[Capabilities, ...], *, currency: str) -> Mapping[str, Decimal]:
    """What an hour costs the tenant: on own credentials only what we ask for the work around it."""
    tenant_id, own = current_tenant().id, {engine.name for engine in engines if is_own(engine.executor)}
    rates = hourly_rates(currency, tenant_id=tenant_id)
    if not own:
        return rates
    theirs = {name: rate for name, rate in rates.items() if name.partition("/")[0] not in own}
    byok = hourly_rates(currency, tenant_id=tenant_id, mode=BYOK)
    return theirs | {name: rate for name, rate in byok.items() if name.partition("/")[0] in own}


class _Identity:
    """A catalogue as a cache's key: the same object is the same catalogue."""

    def __init__(self, value: Catalogue) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.value is self.value


@lru_cache(maxsize=4)
def _with_added(engines: tuple[Capabilities, ...], known: _Identity) -> tuple[Capabilities, ...]:
    return tuple(with_added(engine, known=known.value, seeded=SEEDS) for engine in engines)

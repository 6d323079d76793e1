"""How the installation's providers are, for `/metrics`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from observe.facade import Reading
from observe.instruments import CIRCUIT_STATE
from speech import providers
from speech.breakers import CLOUD, POLL, SPEAK, TRANSCRIBE, breaker, circuit_of

LEVELS: Final = {"closed": 0, "half_open": 1, "open": 2}


def circuit_gauges() -> Iterator[Reading]:
    """One for each circuit of a provider that is set up here; tenants' own are no label of ours."""
    hearing = {engine.capabilities.executor for engine in providers.hearers().values()}
    speaking = {engine.capabilities.executor for engine in providers.speakers().values()}
    asked = [(one, operation) for one in sorted(hearing) for operation in (TRANSCRIBE, POLL)]
    asked += [(one, SPEAK) for one in sorted(speaking)]
    keys = [circuit_of(one, operation=operation) for one, operation in asked if one.startswith(CLOUD)]
    for key, health in breaker().health(keys).items():
        yield Reading(CIRCUIT_STATE, LEVELS[health.state], (key.provider, key.region, key.operation))

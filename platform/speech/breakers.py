"""The circuits of this installation's providers: one breaker per process, its memory in Redis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from django.conf import settings

from egress.facade import BreakerKey
from speech.kept import Kept
from speech.own_credentials.contracts import is_own
from tenants.facade import current_tenant

if TYPE_CHECKING:
    from egress.facade import Breaker

TRANSCRIBE, POLL, SPEAK = "transcribe", "poll", "speak"  # what breaks apart from each other
LOOKED_AT_EVERY_S: Final = 1.0
CLOUD: Final = "cloud:"


@lru_cache(maxsize=1)
def breaker() -> Breaker:
    """The breaker of this process: `with breaker().guard(circuit_of(...), deadline_s=..., classify=...): ...`."""
    from egress.facade import Breaker, SharedStore

    return Breaker(SharedStore.at(settings.REDIS_URL))


def circuit_of(executor: str, *, operation: str, tenant: str = "") -> BreakerKey:
    """The circuit of a provider's executor; the current tenant's alone for one that runs on its own credentials.

    >>> circuit_of("cloud:deepgram:eu", operation=TRANSCRIBE).name
    'deepgram:eu:transcribe'
    """
    _, provider, region = (*executor.split(":"), "", "")[:3]
    whose = str(current_tenant().id) if is_own(executor) else tenant
    return BreakerKey(provider, operation=operation, region=region, tenant=whose)


def troubled(executors: Iterable[str], *, operation: str = TRANSCRIBE) -> Mapping[str, float]:
    """The providers' executors that are not to be called now, with seconds to wait; at most a second old."""
    keys = tuple(
        (executor, circuit_of(executor, operation=operation))
        for executor in sorted({one for one in executors if one.startswith(CLOUD)})
    )
    return _looked_at(keys)() if keys else {}


@lru_cache(maxsize=1024)  # each tenant with credentials of its own has keys of its own
def _looked_at(keys: tuple[tuple[str, BreakerKey], ...]) -> Kept[Mapping[str, float]]:
    def look() -> Mapping[str, float]:
        health = breaker().health([key for _, key in keys])
        found = {executor: health[key] for executor, key in keys}
        return {one: seen.retry_after_s for one, seen in found.items() if seen.state != "closed" or seen.retry_after_s}

    return Kept(look, kept_s=LOOKED_AT_EVERY_S)

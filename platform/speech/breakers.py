"""The circuits of this installation's providers: one breaker per process, its memory in Redis."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from egress.facade import Breaker


@lru_cache(maxsize=1)
def breaker() -> Breaker:
    """The breaker of this process: `with breaker().guard(BreakerKey(...), deadline_s=..., classify=...): ...`."""
    from egress.facade import Breaker, SharedStore

    return Breaker(SharedStore.at(settings.REDIS_URL))

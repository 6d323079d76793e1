"""Charging rates that all processes share through Redis; while it is away, each process keeps its share by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import redis

from apikit.limits.connecting import connect
from apikit.limits.contracts import Charge, Limited, Rate, Standing
from apikit.limits.gcra import LUA, decide, standing
from observe.facade import get_logger

ANSWER_S = 0.5  # a Redis that is slower than this is away
AWAY_S = 2.0  # so long it is not asked again
MOST_BUCKETS = 100_000

log = get_logger(__name__)


class LocalBuckets:
    """The buckets of one process of several: each lets its part through."""

    def __init__(self, *, processes: int = 1) -> None:
        self._processes = processes
        self._arrivals: dict[str, int] = {}
        self._guard = threading.Lock()

    def charge(self, charges: Sequence[Charge]) -> Standing:
        """Take all or raise `Limited`."""
        parts = [replace(one, rate=_part(one.rate, self._processes)) for one in charges]
        now_us = time.monotonic_ns() // 1000
        with self._guard:
            if len(self._arrivals) > MOST_BUCKETS:
                self._arrivals.clear()
            before = [self._arrivals.get(one.bucket, 0) for one in parts]
            made = decide(parts, arrivals=before, now_us=now_us)
            if not made.violated:
                self._arrivals |= {one.bucket: at for one, at in zip(parts, made.arrivals, strict=True)}
        left = standing(parts, [at - now_us for at in made.arrivals])
        if made.violated:
            names = [parts[place].name for place in made.violated]
            raise Limited(charges, violated=names, wait_s=made.wait_us / 1_000_000, standing=left)
        return left


class Limiter:
    """Share one per process; `charge` from threads, `acharge` from the event loop."""

    def __init__(self, redis_url: str, *, processes: int = 1) -> None:
        options: dict[str, Any] = {"socket_timeout": ANSWER_S, "socket_connect_timeout": ANSWER_S}
        self._script = redis.Redis.from_url(redis_url, **options).register_script(LUA)
        self._ascript = connect(redis_url, answer_s=ANSWER_S).register_script(LUA)
        self._local = LocalBuckets(processes=processes)
        self._away_until = 0.0

    def charge(self, charges: Sequence[Charge]) -> Standing:
        """Take all of it, or raise `Limited` and take nothing."""
        if self._is_away():
            return self._local.charge(charges)
        try:
            answer = self._script(keys=_keys(charges), args=_values(charges))
        except redis.RedisError as error:
            return self._without(charges, error)
        return _read(charges, answer)

    async def acharge(self, charges: Sequence[Charge]) -> Standing:
        """The same without holding a thread."""
        if self._is_away():
            return self._local.charge(charges)
        try:
            answer = await self._ascript(keys=_keys(charges), args=_values(charges))
        except redis.RedisError as error:
            return self._without(charges, error)
        return _read(charges, answer)

    def _is_away(self) -> bool:
        return time.monotonic() < self._away_until

    def _without(self, charges: Sequence[Charge], error: redis.RedisError) -> Standing:
        log.warning("limits_without_redis", error=type(error).__name__)
        self._away_until = time.monotonic() + AWAY_S
        return self._local.charge(charges)


def _part(rate: Rate, processes: int) -> Rate:
    return replace(rate, quota=max(1, rate.quota // processes))


def _keys(charges: Sequence[Charge]) -> list[str]:
    return [f"parlance:rate:{one.bucket}:{one.rate}" for one in charges]


def _values(charges: Sequence[Charge]) -> list[int]:
    return [value for one in charges for value in (one.cost, one.rate.quota, one.rate.period_s)]


def _read(charges: Sequence[Charge], answer: Sequence[int]) -> Standing:
    passed, wait_us, *rest = answer
    left = standing(charges, rest[: len(charges)])
    if passed:
        return left
    names = [charges[place - 1].name for place in rest[len(charges) :]]
    raise Limited(charges, violated=names, wait_s=wait_us / 1_000_000, standing=left)

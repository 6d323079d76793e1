"""How many requests may be under way at the same moment: leases in Redis, so that a killed process gives its own back.

A request holds its lease until just before the end of its answer; whoever has that in hand can send the next one.
"""

from __future__ import annotations

import asyncio
import contextvars
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio

from apikit.limits.connecting import connect
from apikit.limits.contracts import Place
from observe.facade import get_logger

LEASE_S = 15.0  # a dead process frees its places after so long
RENEW_S = 5.0  # two renewals may be lost
ANSWER_S = 0.5  # a Redis that is slower than this is away

# All places or none. Members are requests, scored by when their lease ends, on Redis' own clock.
TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for i = 1, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
  if redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[i + 2]) then return i end
end
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], now + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[i], ARGV[2])
end
return 0
"""
# Not only those that are still there: what an emptied Redis has lost is put back.
RENEW = """
local clock = redis.call('TIME')
local ends = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], ends, ARGV[i + 1])
  redis.call('PEXPIRE', KEYS[i], ARGV[1])
end
"""

log = get_logger(__name__)


class Crowded(Exception):
    """Nothing was taken, because all of these places are in use."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.name)
        self.place = place


@dataclass(frozen=True, slots=True)
class Held:
    """The places of one request, until they are given back."""

    member: str
    places: tuple[Place, ...]


class Leases:
    """Share one per event loop. While Redis is away, each of the processes lets its part in."""

    def __init__(
        self, redis_url: str, *, processes: int = 1, lease_s: float = LEASE_S, renew_s: float = RENEW_S
    ) -> None:
        self._redis: Any = connect(redis_url, answer_s=ANSWER_S)
        self._take, self._renew = self._redis.register_script(TAKE), self._redis.register_script(RENEW)
        self._processes, self._lease_ms, self._renew_s = processes, round(lease_s * 1000), renew_s
        self._held: dict[str, Held] = {}
        self._here: Counter[str] = Counter()
        self._renewing: asyncio.Task[None] | None = None

    async def take(self, places: Sequence[Place]) -> Held:
        """One of each of these places, or raises `Crowded`."""
        held = Held(uuid.uuid4().hex, tuple(places))
        self._keep(held)  # before anybody is asked: what one process has let in by itself never exceeds a limit
        full = _first(self._here[_key(one)] > one.limit for one in places)
        if full is None:
            full = await self._ask(held)
        if full is not None:
            self._drop(held)
            raise Crowded(places[full])
        return held

    async def give_back(self, held: Held) -> None:
        """The request is over; a second time changes nothing."""
        if not self._drop(held):
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for key in _keys(held):
                    pipe.zrem(key, held.member)
                await pipe.execute()
        except redis.RedisError as error:  # the lease runs out
            log.warning("leases_without_redis", error=type(error).__name__)

    async def renew(self) -> None:
        """Everything that is held is held for a whole lease again."""
        pairs = [(key, held.member) for held in self._held.values() for key in _keys(held)]
        if pairs:
            keys, members = zip(*pairs, strict=True)
            await self._renew(keys=keys, args=[self._lease_ms, *members])

    async def close(self) -> None:
        """Renew nothing any more: what is held runs out, as if the process had died."""
        if self._renewing is not None:
            self._renewing.cancel()
        await self._redis.aclose(close_connection_pool=True)

    async def _ask(self, held: Held) -> int | None:
        """Which of the places is full; without Redis, whether this process has let its part in."""
        values: list[str | int] = [held.member, self._lease_ms, *(one.limit for one in held.places)]
        try:
            full = await self._take(keys=_keys(held), args=values)
        except redis.RedisError as error:
            log.warning("leases_without_redis", error=type(error).__name__)
            parts = (max(1, one.limit // self._processes) for one in held.places)
            return _first(self._here[key] > part for key, part in zip(_keys(held), parts, strict=True))
        return int(full) - 1 if full else None

    def _drop(self, held: Held) -> bool:
        if self._held.pop(held.member, None) is None:
            return False
        self._here.subtract(_keys(held))
        self._here = +self._here  # the positive ones
        return True

    def _keep(self, held: Held) -> None:
        self._held[held.member] = held
        self._here.update(_keys(held))
        if self._renewing is None or self._renewing.done():
            # A context of its own: that of the first caller would keep its tenant in force for ever.
            self._renewing = asyncio.create_task(self._keep_up(), context=contextvars.Context())

    async def _keep_up(self) -> None:
        while self._held:
            await asyncio.sleep(self._renew_s)
            try:
                await self.renew()
            except redis.RedisError as error:
                log.warning("leases_without_redis", error=type(error).__name__)


def _first(flags: Iterable[bool]) -> int | None:
    return next((place for place, flag in enumerate(flags) if flag), None)


def _keys(held: Held) -> list[str]:
    return [_key(one) for one in held.places]


def _key(place: Place) -> str:
    return f"parlance:at-once:{place.bucket}"

"""Circuits in Redis, seen alike by every process. One hash a circuit; each step is one script, so nothing races.

Fields: `v` version, `n` times opened in a row, `open` until when, `pt` and `pu` the probe's token and its end, `gate`
until when all are held back, `r` retries left, `b0` … `b9` the window's seconds as "second calls failed slow". Times
are the server's, in ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from egress.breaker.contracts import (
    BUCKETS,
    MOST_RETRIES,
    RETRIES_PER_CALL,
    STATE_KEPT_S,
    Ending,
    Entry,
    Health,
    Seen,
    Tally,
)

if TYPE_CHECKING:
    import redis

PREFIX: Final = "parlance:circuit:"
TIMEOUT_S: Final = 0.5  # a hint is not worth waiting longer for

_NOW = "local t = redis.call('TIME'); local now = t[1] * 1000 + math.floor(t[2] / 1000); local key = KEYS[1]"

_ENTER = f"""{_NOW}
local f = redis.call('HMGET', key, 'v', 'gate', 'open', 'pu', 'r')
local version, gate, open = tonumber(f[1] or 0), tonumber(f[2] or 0), tonumber(f[3] or 0)
if gate > now then return {{'held', gate - now, version}} end
if open > 0 then
  local wait = math.max(open, tonumber(f[4] or 0)) - now
  if wait > 0 then return {{'open', wait, version}} end
  redis.call('HSET', key, 'pt', ARGV[1], 'pu', now + ARGV[2])
  return {{'probe', 0, version}}
end
local left = tonumber(f[5] or {MOST_RETRIES})
if ARGV[3] == '1' then
  if left < 1 then return {{'spent', 1000, version}} end
  left = left - 1
elseif left >= {MOST_RETRIES} then
  return {{'pass', 0, version}}
else
  left = math.min({MOST_RETRIES}, left + {RETRIES_PER_CALL})
end
redis.call('HSET', key, 'r', tostring(left))
redis.call('EXPIRE', key, {STATE_KEPT_S})
return {{'pass', 0, version}}"""

_LEAVE = f"""{_NOW}
local token, began, outcome, hold = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local f = redis.call('HMGET', key, 'v', 'n', 'open', 'pt', 'gate')
local version, opens = tonumber(f[1] or 0), tonumber(f[2] or 0)
if hold > 0 then redis.call('HSET', key, 'gate', math.max(now + hold, tonumber(f[5] or 0))) end
redis.call('EXPIRE', key, {STATE_KEPT_S})
local probe = f[3] and f[4] == token
if probe and (outcome == 'answered' or outcome == 'busy') then
  version, opens = version + 1, 0
  redis.call('HDEL', key, 'n', 'open', 'pt', 'pu', BUCKET_FIELDS)
  redis.call('HSET', key, 'v', version)
elseif probe then
  redis.call('HDEL', key, 'pt', 'pu')
elseif began ~= version then
  return {{}}
end
local second, sums = math.floor(now / 1000), {{0, 0, 0}}
for i, packed in ipairs(redis.call('HMGET', key, BUCKET_FIELDS)) do
  local at, calls, failed, slow = string.match(packed or '', '(%d+) (%d+) (%d+) (%d+)')
  at, calls, failed, slow = tonumber(at or 0), tonumber(calls or 0), tonumber(failed or 0), tonumber(slow or 0)
  if i - 1 == second % {BUCKETS} then
    if at ~= second then calls, failed, slow = 0, 0, 0 end
    at, calls, failed, slow = second, calls + ARGV[5], failed + ARGV[6], slow + ARGV[7]
    redis.call('HSET', key, 'b' .. (i - 1), table.concat({{at, calls, failed, slow}}, ' '))
  end
  if at > second - {BUCKETS} then sums = {{sums[1] + calls, sums[2] + failed, sums[3] + slow}} end
end
redis.call('EXPIRE', key, {STATE_KEPT_S})
return {{sums[1], sums[2], sums[3], version, opens, probe and 1 or 0}}"""

_TRIP = f"""{_NOW}
local f = redis.call('HMGET', key, 'v', 'n')
if tonumber(f[1] or 0) ~= tonumber(ARGV[1]) then return 0 end
redis.call('HDEL', key, 'pt', 'pu', BUCKET_FIELDS)
redis.call('HSET', key, 'v', ARGV[1] + 1, 'n', tonumber(f[2] or 0) + 1, 'open', now + ARGV[2])
redis.call('EXPIRE', key, {STATE_KEPT_S})
return 1"""

_HOLD = f"""{_NOW}
local gate = math.max(now + ARGV[1], tonumber(redis.call('HGET', key, 'gate') or 0))
redis.call('HSET', key, 'gate', gate)
redis.call('EXPIRE', key, {STATE_KEPT_S})"""

_LOOK = f"""{_NOW}
local found = {{}}
for _, one in ipairs(KEYS) do
  local f = redis.call('HMGET', one, 'open', 'pu', 'gate')
  local open = tonumber(f[1] or 0)
  local state = open == 0 and 'closed' or open > now and 'open' or 'half_open'
  table.insert(found, {{state, math.max(0, math.max(open, tonumber(f[2] or 0), tonumber(f[3] or 0)) - now)}})
end
return found"""

_BUCKET_FIELDS = ", ".join(f"'b{number}'" for number in range(BUCKETS))


class SharedStore:
    """A `Store` in Redis; its methods raise `redis.RedisError` when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._enter, self._leave, self._trip, self._hold, self._look = (
            client.register_script(lua.replace("BUCKET_FIELDS", _BUCKET_FIELDS))
            for lua in (_ENTER, _LEAVE, _TRIP, _HOLD, _LOOK)
        )

    @classmethod
    def at(cls, url: str) -> SharedStore:
        """With a connection of its own that gives up soon."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        retry = Retry(NoBackoff(), 1)  # once, for a connection that had been closed meanwhile
        return cls(redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=retry))

    def enter(self, name: str, *, token: str, probe_s: float, is_retry: bool) -> Entry:
        verdict, wait_ms, version = self._run(self._enter, name, token, _ms(probe_s), int(is_retry))
        return Entry(verdict.decode(), wait_ms / 1000, version)

    def leave(self, name: str, *, entry: Entry, token: str, tally: Tally, ending: Ending) -> Seen | None:
        found = self._run(
            self._leave, name, token, entry.version, ending.outcome.value, _ms(ending.retry_after_s or 0),
            tally.calls, tally.failed, tally.slow,
        )  # fmt: skip
        if not found:
            return None
        calls, failed, slow, version, opens, probe = found
        return Seen(Tally(calls, failed, slow), version, opens, was_probe=bool(probe))

    def trip(self, name: str, *, version: int, open_s: float) -> bool:
        return bool(self._run(self._trip, name, version, _ms(open_s)))

    def hold(self, name: str, *, seconds: float) -> None:
        self._run(self._hold, name, _ms(seconds))

    def look(self, names: Sequence[str]) -> list[Health]:
        if not names:
            return []
        found: Any = self._look(keys=[PREFIX + name for name in names])
        return [Health(state.decode(), wait_ms / 1000) for state, wait_ms in found]

    @staticmethod
    def _run(script: Any, name: str, *values: object) -> Any:
        return script(keys=[PREFIX + name], args=values)


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))

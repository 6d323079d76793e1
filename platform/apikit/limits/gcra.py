"""The generic cell rate algorithm (ITU-T I.371, virtual scheduling) over several rates at once.

Each bucket keeps one number, the theoretical arrival time: until when what was taken so far has paid itself back. A
charge passes when no bucket would be ahead of now by more than its whole period. The same rule stands here for one
process and in Lua for all that share a Redis; a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apikit.limits.contracts import Charge, Standing


@dataclass(frozen=True, slots=True)
class Decision:
    """The new arrival times in microseconds when all passed; else who did not, and for how long."""

    arrivals: tuple[int, ...]
    violated: tuple[int, ...]
    wait_us: int


# One call for all buckets. Times are whole microseconds of Redis' own clock, exact in Lua's doubles until 2255.
LUA = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local before, new, violated, worst = {}, {}, {}, 0
for i = 1, #KEYS do
  local cost, quota, period = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]) * 1000000
  before[i] = math.max(tonumber(redis.call('GET', KEYS[i]) or 0), now)
  new[i] = before[i] + math.floor(period * cost / quota)
  local over = new[i] - now - period
  if cost > 0 and over > 0 then
    violated[#violated + 1] = i
    worst = math.max(worst, over)
  end
end
local passed = #violated == 0
local answer = {passed and 1 or 0, worst}
for i = 1, #KEYS do
  if passed and new[i] > now then
    redis.call('SET', KEYS[i], string.format('%.0f', new[i]), 'PX', math.ceil((new[i] - now) / 1000))
  end
  answer[#answer + 1] = (passed and new[i] or before[i]) - now
end
for _, i in ipairs(violated) do answer[#answer + 1] = i end
return answer
"""


def decide(charges: Sequence[Charge], *, arrivals: Sequence[int], now_us: int) -> Decision:
    """What `LUA` decides, for buckets whose arrival times are these.

    >>> from apikit.limits.contracts import Rate
    >>> twice = Charge("a", "requests", Rate(2, 60), cost=1)
    >>> decide([twice], arrivals=[0], now_us=100).arrivals
    (30000100,)
    >>> decide([twice], arrivals=[60_000_100], now_us=100).wait_us
    30000000
    """
    before = [max(arrival, now_us) for arrival in arrivals]
    new = [at + _us(charge) for at, charge in zip(before, charges, strict=True)]
    over = [at - now_us - charge.rate.period_s * 1_000_000 for at, charge in zip(new, charges, strict=True)]
    violated = tuple(place for place, more in enumerate(over) if more > 0 and charges[place].cost > 0)
    if violated:
        return Decision(tuple(before), violated, max(over[place] for place in violated))
    return Decision(tuple(new), (), 0)


def standing(charges: Sequence[Charge], ahead_us: Sequence[int]) -> Standing:
    """How buckets stand that are so far ahead of now.

    >>> from apikit.limits.contracts import Rate
    >>> standing([Charge("a", "requests", Rate(2, 60), cost=1)], [30_000_000])
    Standing(left=(1,), full_again_s=(30,))
    """
    left = tuple(
        max(0, (charge.rate.period_s * 1_000_000 - ahead) * charge.rate.quota // (charge.rate.period_s * 1_000_000))
        for charge, ahead in zip(charges, ahead_us, strict=True)
    )
    return Standing(left, tuple(-(-ahead // 1_000_000) for ahead in ahead_us))


def _us(charge: Charge) -> int:
    return charge.rate.period_s * 1_000_000 * charge.cost // charge.rate.quota

"""A simulated queue with simulated replicas: what a rule of scaling makes of a burst. No process, no clock: pure.

A replica hears one part after another at a fixed speed. The scaler looks every 10 s and wants ceil(value / target)
replicas, as Kubernetes' HPA does with an AverageValue; new ones are ready after a while. It holds the most that it
wanted within the stabilization window, as the chart sets it.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

SPEED: Final = 50.0  # seconds of audio that a replica hears in a second
PART_S: Final = 500.0  # recordings are cut: ten seconds of work
LOOK_S, START_S, STABLE_S = 10.0, 30.0, 600.0
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Burst:
    """Recordings that arrive at once, by their length in seconds."""

    lengths_s: Sequence[float]

    @property
    def work_s(self) -> float:
        return sum(self.lengths_s) / SPEED


@dataclass(slots=True)
class Queue:
    """What waits: parts, each of one recording; a recording is a message as long as any part of it waits."""

    parts: list[tuple[int, float]] = field(default_factory=list)

    @classmethod
    def of(cls, burst: Burst) -> Queue:
        parts: list[tuple[int, float]] = []
        for number, length_s in enumerate(burst.lengths_s):
            whole, rest = divmod(length_s, PART_S)
            parts += [(number, PART_S)] * int(whole) + ([(number, rest)] if rest else [])
        return cls(parts[::-1])

    def messages(self) -> float:
        return len({number for number, _ in self.parts})

    def audio_s(self) -> float:
        return sum(length_s for _, length_s in self.parts)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How long the burst took, and how many replica-seconds were paid for."""

    drain_s: float
    paid_s: float


@dataclass(frozen=True, slots=True)
class Rule:
    """Value and target per replica of an autoscaler."""

    value: Callable[[Queue], float]
    target: float

    def wanted(self, queue: Queue) -> int:
        return max(1, min(MOST, math.ceil(self.value(queue) / self.target)))


def by_audio(*, drain_s: float) -> Rule:
    """Seconds of audio; the target is what a replica hears in the time that is wished for."""
    return Rule(Queue.audio_s, SPEED * drain_s)


def by_messages(*, drain_s: float, usual_s: float) -> Rule:
    """Messages; the target is how many recordings of the usual length a replica hears in that time."""
    return Rule(Queue.messages, max(1.0, SPEED * drain_s / usual_s))


def simulate(burst: Burst, rule: Rule) -> Outcome:
    """One replica at first; until the last part is heard."""
    queue, free, ended_s = Queue.of(burst), [0.0], 0.0
    wishes: deque[tuple[float, int]] = deque()
    now = paid_s = next_look = 0.0
    count = 1
    while queue.parts or ended_s > now:
        if now >= next_look:
            next_look += LOOK_S
            count = _scale(_held(wishes, rule.wanted(queue), now=now), count, free, now=now)
        while queue.parts and free[0] <= now:
            heapq.heappop(free)
            heapq.heappush(free, end := now + queue.parts.pop()[1] / SPEED)
            ended_s = max(ended_s, end)
        then = min(next_look, max(free[0], now) if queue.parts else next_look)
        paid_s, now = paid_s + (then - now) * count, then
    return Outcome(ended_s, paid_s)


def _held(wishes: deque[tuple[float, int]], wanted: int, *, now: float) -> int:
    wishes.append((now, wanted))
    while wishes[0][0] < now - STABLE_S:
        wishes.popleft()
    return max(most for _, most in wishes)


def _scale(wanted: int, count: int, free: list[float], *, now: float) -> int:
    """Replicas that are idle can go; one with a part in hand drains first."""
    for _ in range(wanted - count):
        heapq.heappush(free, now + START_S)
    count = max(count, wanted)
    while count > wanted and free[0] <= now:
        heapq.heappop(free)
        count -= 1
    return count

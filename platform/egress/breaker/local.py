"""Circuits in this process's memory: what is left while Redis is away, and the shared store's twin in tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from egress.breaker.contracts import (
    BUCKETS,
    MOST_RETRIES,
    RETRIES_PER_CALL,
    Ending,
    Entry,
    Health,
    Outcome,
    Seen,
    Tally,
)

MAX_CIRCUITS: Final = 4096


@dataclass(slots=True)
class _Circuit:
    version: int = 0
    opens: int = 0
    open_until: float | None = None
    probe_token: str = ""
    probe_until: float = 0.0
    held_until: float = 0.0
    retries: float = MOST_RETRIES
    buckets: dict[int, Tally] = field(default_factory=dict)

    def window(self, now: float) -> Tally:
        second = int(now)
        self.buckets = {at: tally for at, tally in self.buckets.items() if at > second - BUCKETS}
        tallies = self.buckets.values()
        return Tally(*(sum(getattr(t, name) for t in tallies) for name in ("calls", "failed", "slow")))

    def count(self, tally: Tally, now: float) -> None:
        old = self.buckets.get(int(now), Tally())
        self.buckets[int(now)] = Tally(old.calls + tally.calls, old.failed + tally.failed, old.slow + tally.slow)

    def close(self) -> None:
        self.version, self.opens, self.buckets = self.version + 1, 0, {}
        self.open_until, self.probe_token, self.probe_until = None, "", 0.0


class LocalStore:
    """A `Store` for one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._circuits: dict[str, _Circuit] = {}

    def enter(self, name: str, *, token: str, probe_s: float, is_retry: bool) -> Entry:
        with self._guard:
            circuit, now = self._circuit(name), self._clock()
            if circuit.held_until > now:
                return Entry("held", circuit.held_until - now)
            if circuit.open_until is not None:
                return self._half_open(circuit, now, token=token, probe_s=probe_s)
            if is_retry and circuit.retries < 1:
                return Entry("spent", 1.0)
            circuit.retries = min(MOST_RETRIES, circuit.retries + (-1 if is_retry else RETRIES_PER_CALL))
            return Entry("pass", version=circuit.version)

    def leave(self, name: str, *, entry: Entry, token: str, tally: Tally, ending: Ending) -> Seen | None:
        with self._guard:
            circuit, now = self._circuit(name), self._clock()
            circuit.held_until = max(circuit.held_until, now + (ending.retry_after_s or 0))
            was_probe = circuit.open_until is not None and circuit.probe_token == token
            if was_probe and ending.outcome in {Outcome.ANSWERED, Outcome.BUSY}:
                circuit.close()
            elif was_probe:
                circuit.probe_token, circuit.probe_until = "", 0.0
            elif entry.version != circuit.version:
                return None
            circuit.count(tally, now)
            return Seen(circuit.window(now), circuit.version, circuit.opens, was_probe)

    def trip(self, name: str, *, version: int, open_s: float) -> bool:
        with self._guard:
            circuit = self._circuit(name)
            if circuit.version != version:
                return False
            circuit.version, circuit.opens, circuit.buckets = version + 1, circuit.opens + 1, {}
            circuit.open_until, circuit.probe_token, circuit.probe_until = self._clock() + open_s, "", 0.0
            return True

    def hold(self, name: str, *, seconds: float) -> None:
        with self._guard:
            circuit = self._circuit(name)
            circuit.held_until = max(circuit.held_until, self._clock() + seconds)

    def look(self, names: Sequence[str]) -> list[Health]:
        with self._guard:
            return [_health(self._circuits.get(name), self._clock()) for name in names]

    def _circuit(self, name: str) -> _Circuit:
        if name not in self._circuits and len(self._circuits) >= MAX_CIRCUITS:
            self._circuits.clear()
        return self._circuits.setdefault(name, _Circuit())

    @staticmethod
    def _half_open(circuit: _Circuit, now: float, *, token: str, probe_s: float) -> Entry:
        wait_s = max(circuit.open_until or 0, circuit.probe_until) - now
        if wait_s > 0:
            return Entry("open", wait_s)
        circuit.probe_token, circuit.probe_until = token, now + probe_s
        return Entry("probe", version=circuit.version)


def _health(circuit: _Circuit | None, now: float) -> Health:
    if circuit is None:
        return Health("closed")
    wait_s = max(circuit.held_until, circuit.open_until or 0, circuit.probe_until) - now
    if circuit.open_until is None:
        return Health("closed", max(0.0, wait_s))
    return Health("open" if circuit.open_until > now else "half_open", max(0.0, wait_s))

"""The breaker as callers see it: `with breaker.guard(key, ...)` around one call to a provider."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, TypeVar
from uuid import uuid4

import redis

from egress.breaker.contracts import (
    MOST_HOLD_S,
    Because,
    BreakerKey,
    CircuitOpen,
    Ending,
    Entry,
    Health,
    HeldBack,
    NotNow,
    Outcome,
    RetriesSpent,
    Seen,
    Store,
)
from egress.breaker.local import LocalStore
from egress.breaker.rules import Rules, open_for_s, tally, verdict
from observe.facade import get_logger

PROBE_MARGIN_S: Final = 5.0  # a probe that was killed with its worker holds up the next for so long beyond its time
BUSY_S: Final = 2.0  # for a 429 that does not say how long
FIRST_AWAY_S, MOST_AWAY_S = 1.0, 30.0
_REFUSALS: Final[dict[str, type[NotNow]]] = {"open": CircuitOpen, "held": HeldBack, "spent": RetriesSpent}

Classify = Callable[[Exception], Ending]
OnOpen = Callable[[BreakerKey, Because, int], None]
Answer = TypeVar("Answer")

log = get_logger(__name__)


def any_error_is_a_failure(error: Exception) -> Ending:
    """The default: whatever was raised, the provider is to blame."""
    return Ending(Outcome.FAILED)


class Breaker:
    """Circuits of all providers; share one per process. Threads may use it together.

    Its memory is `shared`; while that does not answer, each process remembers by itself and nobody is refused for it.
    `on_open(key, because, times_in_a_row)` is called by the one process that opened a circuit.
    """

    def __init__(self, shared: Store, *, rules: Rules | None = None, on_open: OnOpen | None = None) -> None:
        self._shared = shared
        self._local = LocalStore()
        self._rules = rules or Rules()
        self._on_open = on_open
        self._away_until = 0.0
        self._away_s = FIRST_AWAY_S

    @contextmanager
    def guard(
        self,
        key: BreakerKey,
        *,
        deadline_s: float,
        slow_after_s: float | None = None,
        is_retry: bool = False,
        classify: Classify = any_error_is_a_failure,
    ) -> Iterator[None]:
        """One call, at most `deadline_s` long. Raises `CircuitOpen`, `HeldBack` or `RetriesSpent` instead of calling.

        What the block raises passes through and is counted as `classify` says; nothing raised is an answer.
        `slow_after_s`: from when on a call counts as slow (half the deadline unless said).
        """
        token, store, entry = self._enter(key, deadline_s=deadline_s, is_retry=is_retry)
        began, ending = time.monotonic(), Ending(Outcome.IGNORED)  # of an exit that is no Exception
        try:
            yield
            ending = Ending(Outcome.ANSWERED)
        except Exception as error:
            ending = classify(error)
            raise
        finally:
            slow = time.monotonic() - began > (slow_after_s or deadline_s / 2)
            self._leave(key, token, store, entry, ending=ending, slow=slow)

    def hold(self, key: BreakerKey, *, seconds: float) -> None:
        """Nobody calls for so long: what a provider's Retry-After asks of all workers."""
        self._ask(lambda store: store.hold(key.name, seconds=min(seconds, MOST_HOLD_S)))

    def health(self, keys: Sequence[BreakerKey]) -> dict[BreakerKey, Health]:
        """How circuits are now; changes nothing."""
        names = [key.name for key in keys]
        return dict(zip(keys, self._ask(lambda store: store.look(names))[1], strict=True))

    def _enter(self, key: BreakerKey, *, deadline_s: float, is_retry: bool) -> tuple[str, Store, Entry]:
        token, probe_s = uuid4().hex, deadline_s + PROBE_MARGIN_S
        store, entry = self._ask(
            lambda store: store.enter(key.name, token=token, probe_s=probe_s, is_retry=is_retry)
        )  # fmt: skip
        if entry.verdict in _REFUSALS:
            raise _REFUSALS[entry.verdict](entry.wait_s)
        return token, store, entry

    def _leave(self, key: BreakerKey, token: str, store: Store, entry: Entry, *, ending: Ending, slow: bool) -> None:
        if ending.outcome is Outcome.BUSY:
            ending = replace(ending, retry_after_s=min(ending.retry_after_s or BUSY_S, MOST_HOLD_S))
        counts = tally(ending.outcome, slow=slow, rules=self._rules)
        try:
            seen = store.leave(key.name, entry=entry, token=token, tally=counts, ending=ending)
            if seen is not None:
                self._judge(key, store, seen, outcome=ending.outcome)
        except redis.RedisError as error:
            self._note_away(error)

    def _judge(self, key: BreakerKey, store: Store, seen: Seen, *, outcome: Outcome) -> None:
        because = verdict(seen.window, outcome=outcome, was_probe=seen.was_probe, rules=self._rules)
        if because is None:
            return
        luck = random.random()  # noqa: S311  # no secret depends on it
        open_s = open_for_s(because, opens=seen.opens, rules=self._rules, luck=luck)
        if store.trip(key.name, version=seen.version, open_s=open_s):
            log.warning("circuit_opened", circuit=key.name, because=because, open_s=round(open_s, 1))
            self._tell(key, because, seen.opens + 1)

    def _tell(self, key: BreakerKey, because: Because, opens: int) -> None:
        if self._on_open is None:
            return
        try:
            self._on_open(key, because, opens)
        except Exception as error:  # the call itself has ended well or badly; this must not change how
            log.warning("circuit_not_told", circuit=key.name, error=type(error).__name__)

    def _ask(self, question: Callable[[Store], Answer]) -> tuple[Store, Answer]:
        """The answer and who gave it: the shared store, or this process's own while that is away."""
        if time.monotonic() >= self._away_until:
            try:
                answer = question(self._shared)
                self._away_s = FIRST_AWAY_S
                return self._shared, answer
            except redis.RedisError as error:
                self._note_away(error)
        return self._local, question(self._local)

    def _note_away(self, error: redis.RedisError) -> None:
        log.warning("circuits_are_local", error=type(error).__name__, for_s=self._away_s)
        self._away_until = time.monotonic() + self._away_s
        self._away_s = min(self._away_s * 2, MOST_AWAY_S)

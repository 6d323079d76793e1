"""A second try before the first has failed, for short calls that somebody waits for.

    won = hedged([lambda cancel: first(cancel), lambda cancel: second(cancel)], after_s=durations.p95_s or 2.0)

Only one answer is returned, so only one is billed to the customer; what a canceled call cost us is its attempt's cost.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

LEAST_KNOWN: Final = 20  # durations below which a 95th percentile is a guess
MOST_KNOWN: Final = 200  # the latest; older ones describe another day

Answer = TypeVar("Answer")
Attempt = Callable[[threading.Event], Answer]


@dataclass(frozen=True, slots=True)
class Won(Generic[Answer]):
    """The first answer, and which of the attempts gave it."""

    number: int
    answer: Answer


def hedged(attempts: Sequence[Attempt[Answer]], *, after_s: float) -> Won[Answer]:
    """The first answer of these; each attempt starts `after_s` after the one before it, or when that has failed.

    Every attempt gets an event that is set once another has won: it looks at it while it waits and then gives up.
    Raises the first attempt's error when all failed. Each runs in a thread with the caller's context.
    """
    ended: queue.Queue[tuple[int, Answer | None, Exception | None]] = queue.Queue()
    cancel, errors, running, following = threading.Event(), dict[int, Exception](), 0, 0
    try:
        while running or following < len(attempts):
            if following < len(attempts):
                _start(following, attempts[following], cancel=cancel, ended=ended)
                running, following = running + 1, following + 1
            try:
                number, answer, error = ended.get(timeout=after_s if following < len(attempts) else None)
            except queue.Empty:
                continue  # it takes long: the next one starts beside it
            running -= 1
            if error is None:
                return Won(number, answer)  # type: ignore[arg-type]  # without an error there is an answer
            errors[number] = error
    finally:
        cancel.set()
    raise errors[0]


def _start(
    number: int,
    attempt: Attempt[Answer],
    *,
    cancel: threading.Event,
    ended: queue.Queue[tuple[int, Answer | None, Exception | None]],
) -> None:
    def run() -> None:
        try:
            ended.put((number, attempt(cancel), None))
        except Exception as error:  # handed to the caller
            ended.put((number, None, error))

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=[run], name=f"hedge-{number}", daemon=True).start()


class Durations:
    """How long calls of one kind took lately, in this process."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=MOST_KNOWN)

    def add(self, seconds: float) -> None:
        """One more call that was answered."""
        self._latest.append(seconds)

    @property
    def p95_s(self) -> float | None:
        """95 of 100 were faster; None until enough are known.

        >>> known = Durations()
        >>> for n in range(100): known.add(n / 100)
        >>> known.p95_s, Durations().p95_s
        (0.95, None)
        """
        known = sorted(self._latest)
        return known[len(known) * 95 // 100] if len(known) >= LEAST_KNOWN else None

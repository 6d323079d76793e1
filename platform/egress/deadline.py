"""One total deadline for everything that a call does: name, dial, TLS, headers and body.

httpx and httpcore time each read on its own, so a server that drips one byte a second is never late. The
deadline travels in a context variable and the guarded streams cut every wait down to what is left of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from egress.errors import DeadlineExceeded

ROUNDING_S = 0.01  # the system rounds waits to its own clock ticks and may return this much early
TICK_S = 1.0


class Deadline:
    """A moment of the monotonic clock; `ends_at` may be moved while the call goes on."""

    __slots__ = ("ends_at",)

    def __init__(self, *, ends_at: float) -> None:
        self.ends_at = ends_at

    def remaining_s(self) -> float:
        """Returns the seconds left; raises `DeadlineExceeded` when there are none."""
        left_s = self.ends_at - time.monotonic()
        if left_s <= 0:
            raise DeadlineExceeded
        return left_s


_current: ContextVar[Deadline | None] = ContextVar("egress_deadline", default=None)


@contextmanager
def deadline(*, seconds: float) -> Iterator[Deadline]:
    """Bounds every wait of guarded streams inside the block by one end."""
    limit = Deadline(ends_at=time.monotonic() + seconds)
    token = _current.set(limit)
    try:
        yield limit
    finally:
        _current.reset(token)


def bounded(timeout_s: float | None) -> float | None:
    """Returns the shorter of a timeout and what is left of the deadline, in seconds.

    >>> bounded(5), bounded(None)
    (5, None)
    """
    limit = _current.get()
    if limit is None:
        return timeout_s
    left_s = limit.remaining_s()
    return left_s if timeout_s is None else min(timeout_s, left_s)


def raise_if_over() -> None:
    """Raises `DeadlineExceeded` when a wait ended because of the deadline and not of its own timeout."""
    limit = _current.get()
    if limit is not None:
        Deadline(ends_at=limit.ends_at - ROUNDING_S).remaining_s()


def scaled_deadline_s(audio_ms: int, *, per_audio_s: float, least_s: float, most_s: float) -> float:
    """How long a call about so much audio may take: a share of its length, within bounds.

    >>> scaled_deadline_s(3_600_000, per_audio_s=0.2, least_s=20, most_s=1800)
    720.0
    >>> scaled_deadline_s(5_000, per_audio_s=0.2, least_s=20, most_s=1800)
    20
    """
    return max(least_s, min(audio_ms / 1000 * per_audio_s, most_s))


_on_tick: ContextVar[Callable[[], None] | None] = ContextVar("egress_on_tick", default=None)


@contextmanager
def ticking(on_tick: Callable[[], None] | None) -> Iterator[None]:
    """Calls `on_tick` about once a second while a guarded stream inside the block waits for an answer.

    What it raises passes through and closes the connection: so a caller can stop waiting. Sync streams only.
    """
    token = _on_tick.set(on_tick)
    try:
        yield
    finally:
        _on_tick.reset(token)


def until_tick(timeout_s: float | None) -> float | None:
    """Returns the wait up to the next tick, within the timeout and the deadline.

    >>> with ticking(print):
    ...     until_tick(5), until_tick(0.5)
    (1.0, 0.5)
    """
    left_s = bounded(timeout_s)
    if _on_tick.get() is None:
        return left_s
    return TICK_S if left_s is None else min(left_s, TICK_S)


def tick(*, until: float | None) -> bool:
    """Whether to wait on after a wait ended: ticks if somebody wants it and `until` (monotonic) is not reached."""
    on_tick = _on_tick.get()
    if on_tick is None or (until is not None and time.monotonic() >= until - ROUNDING_S):
        return False
    on_tick()
    return True

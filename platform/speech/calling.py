"""Around each call of a provider: its circuit, its time in the metrics, and few connections of the database held.

Many threads wait for providers at once; a hundred idle connections would be a whole server's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Final, Protocol

from django.db import connections

from dispatch.facade import JobRow
from egress.facade import BreakerKey, Ending, NotNow, Outcome, scaled_deadline_s
from observe.facade import span, timed
from observe.instruments import ENGINE_SECONDS
from speech.breakers import POLL, TRANSCRIBE, breaker, circuit_of
from speech.engines.errors import EngineError, ErrorKind
from speech.engines.ports import Quality

__all__ = ["POLL", "TRANSCRIBE", "NotMade", "Outrun", "call_of"]

KEPT: Final = 12  # so many waiting threads keep their connections: opening one anew costs some milliseconds
LEAST_S, MOST_S, PER_AUDIO_S = 60.0, 1800.0, 0.5  # what a call may take; half of it is slow
POLL_S: Final = 30.0

_ENDINGS: Final[dict[ErrorKind, Outcome]] = {
    "auth": Outcome.DENIED, "quota": Outcome.DENIED, "rate_limited": Outcome.BUSY, "transient": Outcome.FAILED,
    "timeout": Outcome.FAILED,
}  # fmt: skip

_waiting = 0
_guard = threading.Lock()


class Called(Protocol):
    """What is known of a provider's engine, hearing or speaking."""

    @property
    def name(self) -> str: ...
    @property
    def executor(self) -> str: ...
    @property
    def quality(self) -> Quality: ...


class Outrun(Exception):
    """Another provider has answered: the call is given up."""


class NotMade(Exception):
    """The call was not made: the provider is left alone for `retry_after_s`."""

    def __init__(self, code: str, *, retry_after_s: float) -> None:
        super().__init__(code)
        self.code, self.retry_after_s = code, retry_after_s


@contextmanager
def call_of(
    able: Called,
    job: JobRow,
    *,
    operation: str,
    audio_ms: int = 0,
    is_retry: bool = False,
    classify: Callable[[Exception], Ending] | None = None,
) -> Iterator[None]:
    """One call of a provider's engine; raises `NotMade` instead when its circuit is open or it asked to wait."""
    seconds = POLL_S
    if operation != POLL:
        seconds = scaled_deadline_s(audio_ms, per_audio_s=PER_AUDIO_S, least_s=LEAST_S, most_s=MOST_S)
    key, classify = _circuit(able, job, operation=operation), classify or ending_of
    guard = breaker().guard(key, deadline_s=seconds, is_retry=is_retry, classify=classify) if key else nullcontext()
    try:
        with guard, span(f"{able.name} {operation}"), timed(ENGINE_SECONDS, able.name, operation):
            yield
    except NotNow as error:
        raise NotMade(error.code, retry_after_s=error.retry_after_s) from None


@contextmanager
def waiting() -> Iterator[None]:
    """While a provider is waited for; above the number that is kept, without this thread's connections."""
    global _waiting
    with _guard:
        _waiting += 1
        crowded = _waiting > KEPT
    if crowded:
        connections.close_all()
    try:
        yield
    finally:
        with _guard:
            _waiting -= 1


def ending_of(error: Exception) -> Ending:
    """What a call's failure says of the provider; what is not an engine's says nothing.

    >>> ending_of(EngineError(kind="rate_limited", code="busy", detail="", retry_after_s=3))
    Ending(outcome=<Outcome.BUSY: 'busy'>, retry_after_s=3)
    >>> ending_of(EngineError(kind="bad_audio", code="no_audio", detail="")).outcome, ending_of(OSError()).outcome
    (<Outcome.ANSWERED: 'answered'>, <Outcome.IGNORED: 'ignored'>)
    >>> ending_of(Outrun()).outcome
    <Outcome.OUTRUN: 'outrun'>
    """
    if isinstance(error, Outrun):
        return Ending(Outcome.OUTRUN)
    if not isinstance(error, EngineError):
        return Ending(Outcome.IGNORED)
    return Ending(_ENDINGS.get(error.kind, Outcome.ANSWERED), error.retry_after_s)


def _circuit(able: Called, job: JobRow, *, operation: str) -> BreakerKey | None:
    """What is simulated breaks for nobody else, and for a test key not at all: its outcomes are documented."""
    if able.quality != "simulated":
        return circuit_of(able.executor, operation=operation)
    return circuit_of(able.executor, operation=operation, tenant=job.tenant_id.hex) if job.livemode else None

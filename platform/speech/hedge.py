"""A short recording that somebody waits for, asked of a second provider once the first one is slow.

Both calls are written down before they are made. The first answer is the part's; the other call is told to stop and
booked as cost like any call. The bill is one, by who has answered; the hold covers both before the second begins.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Final, Protocol, TypeVar

from django.db import connections

from dispatch.facade import INTERACTIVE, Attempt, JobRow, Lease
from egress.facade import Durations, hedged
from speech import calling, planning
from speech.contracts import SHORT_AUDIO_MS
from speech.engines.errors import EngineError
from speech.engines.ports import Capabilities, CloudSpeechToText, Heard, Pending
from speech.models import TranscriptionRequest

AFTER_S: Final = 2.0  # until enough is known of an engine: most answer a minute of audio within that
LEAST_AFTER_S: Final = 0.3  # a second call costs money: not for a hiccup of the network

_durations: dict[str, Durations] = defaultdict(Durations)


class NotNeeded(Exception):
    """The first call has failed before the second began: the next engine's turn is found as for every failure."""


class Call(Protocol):
    """A call of an engine for the part; `attempt` once it is written down, `error` once it has failed."""

    attempt: Attempt | None
    error: EngineError | None

    def submit(self, cancel: threading.Event | None = None) -> Heard | Pending: ...


OneCall = TypeVar("OneCall", bound=Call)


def is_wanted(lease: Lease, job: JobRow, request: TranscriptionRequest, able: Capabilities) -> bool:
    """Whether a second engine may be asked beside this one: wished for, short, and one that answers at once."""
    wished = request.routing.get("policy", {}).get("hedge", False)
    alone = job.service_class == INTERACTIVE and job.segments_total == 1
    return bool(wished and alone and lease.end_ms - lease.start_ms <= SHORT_AUDIO_MS and not able.polls)


def may_rival(other: CloudSpeechToText, lease: Lease) -> bool:
    """Whether an engine can answer this part at once."""
    able = other.capabilities
    return not able.polls and lease.end_ms - lease.start_ms <= planning.limit_ms(able)


def note(engine: str, lease: Lease, *, took_s: float) -> None:
    """An engine has answered a part; of short ones it is remembered how long they took."""
    if lease.end_ms - lease.start_ms <= SHORT_AUDIO_MS:
        _durations[engine].add(took_s)


def after_s(engine: str) -> float:
    """How long an engine is waited for alone: as long as 95 of 100 of its short calls took lately.

    >>> after_s("an engine that nobody has called") == AFTER_S
    True
    """
    return max(LEAST_AFTER_S, _durations[engine].p95_s or AFTER_S)


def first_answer(first: OneCall, second: OneCall, *, after_s: float) -> tuple[OneCall, Heard | Pending]:
    """The quicker of two calls, and its answer; raises what the first one raised when none has an answer."""
    failed = threading.Event()

    def lead(cancel: threading.Event) -> Heard | Pending:
        try:
            return _made(first, cancel)
        except Exception:
            failed.set()
            raise

    def follow(cancel: threading.Event) -> Heard | Pending:
        if failed.is_set():
            raise NotNeeded
        return _made(second, cancel)

    with calling.waiting():
        won = hedged([lead, follow], after_s=after_s)
    return (first, second)[won.number], won.answer


def _made(call: Call, cancel: threading.Event) -> Heard | Pending:
    try:
        return call.submit(cancel)
    except EngineError as error:
        call.error = error
        raise
    finally:
        connections.close_all()  # this thread's own

"""A part spoken by a provider's voice: counted by its circuit, written down before and after, and booked as cost.

Workers and the processes that answer requests do the same. The latter wait for providers in threads that keep no
connection of the database, so `ask` says where it is asked: in the thread itself, or in one of those for requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from django.db import transaction

from dispatch.facade import (
    Attempt,
    JobRow,
    Lease,
    LeaseLost,
    Stretch,
    begin_attempt,
    end_attempt,
    is_for,
    let_go,
)
from egress.facade import Ending, Outcome
from observe.facade import failpoint
from speech import booking
from speech.audio.encoders import EncodingFailed
from speech.breakers import SPEAK
from speech.calling import call_of, waiting
from speech.engines.ports import ReportedUnits
from speech.models import SpeechRequest
from speech.providers import speakers
from speech.synthesis.errors import SpeakFailed
from speech.synthesis.voices import spoken_model

DENIED: Final = frozenset({"provider_credentials_refused", "provider_quota"})
INTERRUPTED: Final = "interrupted"
STOPPED: Final = "stopped"  # the job was canceled, its client has gone, or somebody else has the item now


class Ask(Protocol):
    """Has something written, and gives back what `work` returns."""

    def __call__(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any: ...


def here(work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """In this thread."""
    return work(*args, **kwargs)


@dataclass(slots=True)
class Call:
    """All that is asked of an engine for one part, and what the provider counts for it; no attempt for a voice here."""

    attempt: Attempt | None = None
    counted: Counter[str] = field(default_factory=Counter)

    def count(self, units: ReportedUnits) -> None:
        """The provider counts so much: by its own answer, or else by its own rule."""
        self.counted[units.unit] += units.quantity


@contextmanager
def called(
    lease: Lease, job: JobRow, request: SpeechRequest, *, part: Stretch | None = None, ask: Ask = here
) -> Iterator[Call]:
    """Around all that is asked of an engine for one part: the item's own, or of an item that is the whole job `part`.

    Raises `NotMade` instead when the provider is left alone now. How a call ended that went well is for `note`.
    """
    able = speakers()[request.engine].capabilities
    if not able.executor:
        yield Call()
        return
    with call_of(able, job, operation=SPEAK, is_retry=lease.attempt > 1, classify=ending_of):
        call = Call(ask(_begin, lease, request.engine, part))
        failpoint("attempt.begun")
        with _ended_when_it_fails(lease, job, call, ask), waiting():
            yield call


def note(job: JobRow, call: Call, *, outcome: str = "done") -> None:
    """The call is over: in the transaction that keeps the part, or lets it go. What was counted is to be paid for."""
    if call.attempt is None:
        return
    end_attempt(call.attempt, outcome=outcome)
    units = [ReportedUnits(unit, quantity) for unit, quantity in call.counted.items()]
    booking.book(job, call.attempt, units=units, model=_model_of(call.attempt.engine))


def note_alone(lease: Lease, job: JobRow, call: Call, *, outcome: str = "done") -> None:
    """The same for a part that nobody keeps, or that is sent already.

    Raises `LeaseLost` when the item is not ours any more; what was counted is to be paid for all the same.
    """
    if call.attempt is None:
        return
    with stopped_unless_ours(job, call), transaction.atomic():
        let_go(lease)  # fences what follows
        note(job, call, outcome=outcome)


@contextmanager
def stopped_unless_ours(job: JobRow, call: Call) -> Iterator[None]:
    """Around the transaction that notes a call: when it finds the lease lost, the call was made all the same."""
    try:
        yield
    except LeaseLost:
        with transaction.atomic():
            note(job, call, outcome=STOPPED)
        raise


def drop(lease: Lease, job: JobRow) -> None:
    """Whoever spoke this item before died on the way: nobody can know what came of its call."""
    if lease.call is not None:
        end_attempt(Attempt(job.id, lease.call, ""), outcome=INTERRUPTED)


def ending_of(error: Exception) -> Ending:
    """What a failure says of the provider.

    >>> ending_of(SpeakFailed(kind="permanent", code="provider_quota", detail="")).outcome
    <Outcome.DENIED: 'denied'>
    """
    if not isinstance(error, SpeakFailed):
        return Ending(Outcome.IGNORED)
    if error.code == "provider_busy":
        return Ending(Outcome.BUSY, error.retry_after_s)
    if error.code in DENIED:
        return Ending(Outcome.DENIED)
    return Ending(Outcome.FAILED if error.kind == "transient" else Outcome.ANSWERED)


def _begin(lease: Lease, engine: str, part: Stretch | None) -> Attempt:
    with transaction.atomic():
        attempt = begin_attempt(lease, engine=engine, model=_model_of(engine))
        if part is not None:
            is_for(attempt, part)
        return attempt


def _model_of(engine: str) -> str:
    """The model behind a voice by the name that the catalogue has for it; "" where it knows none."""
    model = spoken_model(engine)
    return model.model if model else ""


@contextmanager
def _ended_when_it_fails(lease: Lease, job: JobRow, call: Call, ask: Ask) -> Iterator[None]:
    try:
        yield
    except SpeakFailed as error:
        ask(note_alone, lease, job, call, outcome=error.code)
        raise
    except (LeaseLost, EncodingFailed):  # nobody waits for the part any more, or it is begun anew
        with suppress(LeaseLost):
            ask(note_alone, lease, job, call, outcome=STOPPED)
        raise

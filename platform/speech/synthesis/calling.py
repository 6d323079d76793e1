"""A part spoken by a provider's voice: counted by its circuit, written down before and after, and booked as cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from django.db import transaction

from dispatch.facade import Attempt, JobRow, Lease, RetryLater, begin_attempt, end_attempt, let_go
from egress.facade import Ending, Outcome
from speech import booking
from speech.breakers import SPEAK
from speech.calling import NotMade, call_of, waiting
from speech.engines.ports import ReportedUnits
from speech.models import SpeechRequest
from speech.synthesis.errors import SpeakFailed
from speech.synthesis.voices import speaking, spoken_model

DENIED: Final = frozenset({"provider_credentials_refused", "provider_quota"})


@dataclass(slots=True)
class Call:
    """All that is asked of an engine for one part, and what the provider counts for it; no attempt for a voice here."""

    attempt: Attempt | None = None
    counted: Counter[str] = field(default_factory=Counter)

    def count(self, units: ReportedUnits) -> None:
        """The provider counts so much: by its own answer, or else by its own rule."""
        self.counted[units.unit] += units.quantity


@contextmanager
def called(lease: Lease, job: JobRow, request: SpeechRequest) -> Iterator[Call]:
    """Around all that is asked of an engine for one part."""
    able = speaking(request.engine)
    if not able.executor:
        yield Call()
        return
    try:
        with call_of(able, job, operation=SPEAK, is_retry=lease.attempt > 1, classify=ending_of):
            call = Call(begin_attempt(lease, engine=request.engine, model=_model_of(request.engine)))
            with _ended_when_it_fails(lease, job, call), waiting():
                yield call
    except NotMade as refusal:
        detail = "The provider was not called: it failed too often lately, or asked everybody to wait."
        raise RetryLater(refusal.code, detail, delay_s=refusal.retry_after_s) from None


def note(job: JobRow, call: Call, *, outcome: str = "done") -> None:
    """The call is over: in the transaction that keeps the part, or lets it go. What was counted is to be paid for."""
    if call.attempt is None:
        return
    end_attempt(call.attempt, outcome=outcome)
    units = [ReportedUnits(unit, quantity) for unit, quantity in call.counted.items()]
    booking.book(job, call.attempt, units=units, model=_model_of(call.attempt.engine))


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


def _model_of(engine: str) -> str:
    """The model behind a voice by the name that the catalogue has for it; "" where it knows none."""
    model = spoken_model(engine)
    return model.model if model else ""


@contextmanager
def _ended_when_it_fails(lease: Lease, job: JobRow, call: Call) -> Iterator[None]:
    try:
        yield
    except SpeakFailed as error:
        with transaction.atomic():
            let_go(lease)  # fences what follows
            note(job, call, outcome=error.code)
        raise

"""A part spoken by a provider's voice: counted by its circuit, written down before and after, and booked as cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
from speech.synthesis.voices import speaking

DENIED: Final = frozenset({"provider_credentials_refused", "provider_quota"})


@contextmanager
def called(lease: Lease, job: JobRow, request: SpeechRequest) -> Iterator[Attempt | None]:
    """Around all that is asked of an engine for one part; yields the call, None for a voice of this machine."""
    able = speaking(request.engine)
    if not able.executor:
        yield None
        return
    try:
        with call_of(able, job, operation=SPEAK, is_retry=lease.attempt > 1, classify=ending_of):
            attempt = begin_attempt(lease, engine=request.engine, model="")
            with _ended_when_it_fails(lease, attempt), waiting():
                yield attempt
    except NotMade as refusal:
        detail = "The provider was not called: it failed too often lately, or asked everybody to wait."
        raise RetryLater(refusal.code, detail, delay_s=refusal.retry_after_s) from None


def note(lease: Lease, job: JobRow, attempt: Attempt | None) -> None:
    """The call is over and did its work: in the transaction that keeps the part."""
    if attempt is None:
        return
    end_attempt(attempt, outcome="done")
    units = [ReportedUnits("characters", lease.end_ms - lease.start_ms)]  # voices are paid by what they are sent
    booking.book(job, attempt, units=units, model="")


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


@contextmanager
def _ended_when_it_fails(lease: Lease, attempt: Attempt) -> Iterator[None]:
    try:
        yield
    except SpeakFailed as error:
        with transaction.atomic():
            end_attempt(attempt, outcome=error.code)
            let_go(lease)
        raise

"""One part's call of a provider's engine: written down before it is made, and asked for by whoever comes back to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from django.db import transaction

from billing.facade import InsufficientFunds, raise_hold
from dispatch.facade import Attempt, JobRow, Lease, LeaseLost, begin_attempt, begin_rival, lock_job
from observe.facade import failpoint
from speech import callbacks, calling, hedge, pools, providers
from speech.audio.pcm import BYTES_PER_MS, PcmRange
from speech.calling import POLL, TRANSCRIBE, Outrun
from speech.contracts import METER
from speech.engines.errors import EngineError
from speech.engines.ports import CloudSpeechToText, EngineRequest, Heard, Pending, ReportedUnits
from speech.models import TranscriptionRequest
from speech.objects import pcm_key
from speech.options import Options
from speech.workspace import workspace
from storage.facade import store

POLL_AGAIN_S: Final = 15.0  # after a question that was not answered
WAIT_S: Final = 1800.0  # providers queue what is above an account's concurrency
WAIT_PER_S: Final = 2.0  # and no provider is slower than half as fast as people speak


class PartCall:
    """One part's call of a provider's engine; `attempt` once it is written down."""

    def __init__(self, lease: Lease, job: JobRow, request: TranscriptionRequest, *, cloud: CloudSpeechToText) -> None:
        self._lease, self._job, self._request = lease, job, request
        self._cloud, self.engine = cloud, cloud.capabilities.name
        self.attempt: Attempt | None = None
        self.error: EngineError | None = None

    def submit(self, cancel: threading.Event | None = None) -> Heard | Pending:
        """Written down, then made; nothing is written when it is not made. Raises `Outrun` once it is canceled."""
        lease, able = self._lease, self._cloud.capabilities
        ms, again = lease.end_ms - lease.start_ms, lease.attempt > 1
        with calling.call_of(able, self._job, operation=TRANSCRIBE, audio_ms=ms, is_retry=again):
            attempt = self.attempt or self._begin()
            callback = callbacks.callback_of(self._job.tenant_id, attempt) if callbacks.wanted(able) else None
            with samples(lease, self._job, self._request) as pcm, calling.waiting():
                on_tick, begun_s = partial(_check, lease, cancel), time.monotonic()
                answer = self._cloud.submit(pcm, request=self._asked, callback=callback, on_tick=on_tick)
        hedge.note(self.engine, lease, took_s=time.monotonic() - begun_s)
        return answer

    def go_on(self) -> Heard | Pending:
        """Ask for what was taken; what nobody can know of is submitted anew.

        A question that is not answered is asked again; an answer that never comes is too late.
        """
        attempt = self._begin()
        if not attempt.external_id:
            return self.submit()
        failpoint("attempt.resumed")
        answer = self._poll(attempt) if self._cloud.capabilities.polls else Pending(attempt.external_id, POLL_AGAIN_S)
        if isinstance(answer, Pending) and attempt.age_s > _patience_s(self._lease):
            detail = "The provider took the part and did not bring its text in time. It is submitted anew."
            raise EngineError(kind="timeout", code="provider_never_finished", detail=detail, units=self._lost)
        return answer

    def wait_s(self, answer: Pending) -> float:
        """How long the part waits before it is looked after; one that only calls back has all the time there is."""
        if self._cloud.capabilities.polls:
            return answer.poll_after_s
        assert self.attempt is not None
        return max(0.0, _patience_s(self._lease) - self.attempt.age_s)

    def _begin(self) -> Attempt:
        model = model_of(self._request, self.engine)
        self.attempt = begin_attempt(self._lease, engine=self.engine, model=model)
        failpoint("attempt.begun")
        return self.attempt

    def _poll(self, attempt: Attempt) -> Heard | Pending:
        try:
            with calling.call_of(self._cloud.capabilities, self._job, operation=POLL), calling.waiting():
                return self._cloud.poll(attempt.external_id, request=self._asked)
        except EngineError as error:
            if not error.may_pass:
                raise
            return Pending(attempt.external_id, error.retry_after_s or POLL_AGAIN_S)
        except calling.NotMade as error:
            return Pending(attempt.external_id, error.retry_after_s)

    @property
    def _lost(self) -> tuple[ReportedUnits, ...]:
        """What a call costs whose text never came: a provider that only calls back has heard it all the same."""
        lost_ms = 0 if self._cloud.capabilities.polls else self._lease.end_ms - self._lease.start_ms
        return (ReportedUnits(METER, lost_ms),) if lost_ms else ()

    @property
    def _asked(self) -> EngineRequest:
        assert self.attempt is not None
        return asked_of(self._request, attempt=self.attempt, tries=self._lease.attempt)


class RivalCall(PartCall):
    """A second call for the part, for which the hold is raised first."""

    def __init__(
        self, lease: Lease, job: JobRow, request: TranscriptionRequest, *, cloud: CloudSpeechToText, beside: str
    ) -> None:
        super().__init__(lease, job, request, cloud=cloud)
        self._beside = beside

    def _begin(self) -> Attempt:
        model, job = model_of(self._request, self.engine), self._job
        with transaction.atomic():
            current = lock_job(job.id)
            if current is None or current.state != "running":
                raise LeaseLost
            self._cover()
            self.attempt = begin_rival(self._lease, engine=self.engine, model=model)
        failpoint("rival.begun")
        return self.attempt

    def _cover(self) -> None:
        """The dearer of the two is held, or the call is not made."""
        try:
            raise_hold(
                self._job.id, engine=self.engine, beside=[self._beside], meter=METER,
                quantity=self._job.measured_ms or 0, channels=self._request.media.get("heard_channels", 1),
            )  # fmt: skip
        except InsufficientFunds as error:
            raise calling.NotMade(error.code, retry_after_s=0.0) from None


def _check(lease: Lease, cancel: threading.Event | None) -> None:
    lease.check()
    if cancel is not None and cancel.is_set():
        raise Outrun


def _patience_s(lease: Lease) -> float:
    return WAIT_S + WAIT_PER_S * (lease.end_ms - lease.start_ms) / 1000


def hearer_of(request: TranscriptionRequest, engine: str) -> CloudSpeechToText | None:
    """A provider's engine on the account that the route has chosen; None when it is gone, or no provider's."""
    return providers.hearer(engine, own=is_on_own(request, engine))


def is_on_own(request: TranscriptionRequest, engine: str) -> bool:
    """Whether the route has chosen the tenant's own account for it; what becomes of that later changes no bill."""
    return engine in request.routing.get("own", [])


def asked_of(request: TranscriptionRequest, *, attempt: Attempt, tries: int = 1) -> EngineRequest:
    """The request of a call, the same whoever makes or resumes it."""
    return EngineRequest(
        Options.from_json(request.options), model=model_of(request, attempt.engine),
        reference=f"{attempt.job_id.hex}-{attempt.number}", attempt=tries,
    )  # fmt: skip


def model_of(request: TranscriptionRequest, engine: str, *, told: str = "") -> str:
    """The model that the route names for an engine, else its best; "" when it has but one without a name.

    `told` by the provider goes before: another of its models may have stood in.
    """
    named = request.routing.get("models", {}).get(engine) or request.options.get("model", "")
    models = next((able.models for able in pools.available() if able.name == engine), ())
    return next((str(model) for model in (told, named) if model in models), next(iter(models), ""))


@contextmanager
def samples(lease: Lease, job: JobRow, request: TranscriptionRequest) -> Iterator[PcmRange]:
    """The part's samples as a file."""
    channel = lease.ordinal % request.media["heard_channels"] if request.media["heard_channels"] > 1 else None
    start, end = lease.start_ms * BYTES_PER_MS, lease.end_ms * BYTES_PER_MS
    with workspace() as folder:
        path = folder / "segment.pcm"
        with path.open("wb") as file:
            for chunk in store().open_range(pcm_key(job.tenant_id, job.id, channel=channel), start=start, end=end):
                file.write(chunk)
        yield PcmRange(path=path, start_ms=0, end_ms=lease.end_ms - lease.start_ms)

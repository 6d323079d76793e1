"""Having one part of a recording heard by an engine, here or at a provider's.

What is submitted to a provider is written down before and after. One that answers later is asked again, or calls back;
meanwhile the part waits and holds nothing. Whoever comes back to it asks for what was submitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from dispatch.facade import INTERACTIVE, Attempt, JobRow, Lease, await_attempt, begin_attempt
from observe.facade import failpoint
from speech import callbacks, calling, pools, providers
from speech.audio.pcm import BYTES_PER_MS, PcmRange
from speech.calling import POLL, TRANSCRIBE
from speech.engines.errors import EngineError
from speech.engines.ports import CloudSpeechToText, EngineRequest, Heard, Pending
from speech.models import TranscriptionRequest
from speech.objects import pcm_key
from speech.options import Options
from speech.transcript import Transcript, assemble, labelled
from speech.workspace import workspace
from storage.facade import store

POLL_AGAIN_S: Final = 15.0  # after a question that was not answered
WAIT_S: Final = 1800.0  # providers queue what is above an account's concurrency
WAIT_PER_S: Final = 2.0  # and no provider is slower than half as fast as people speak


@dataclass(frozen=True, slots=True)
class Part:
    """What an engine heard, and with which of its models if one was named; `attempt` is the call that brought it."""

    engine: str
    heard: Heard
    attempt: Attempt | None = None
    model: str = ""
    own: bool = False  # on the tenant's own account


class PartFailed(Exception):
    """An engine did not hear its part: why, and in which call."""

    def __init__(self, error: EngineError, *, engine: str, attempt: Attempt | None = None) -> None:
        super().__init__(error.code)
        self.error, self.engine, self.attempt = error, engine, attempt


def engine_of(lease: Lease, job: JobRow, request: TranscriptionRequest) -> str:
    """The engine of the job's route that this part is for."""
    engines = request.routing.get("engines", [])
    return str(engines[lease.choice]) if lease.choice < len(engines) else job.engine or ""


def hearer_of(request: TranscriptionRequest, engine: str) -> CloudSpeechToText | None:
    """A provider's engine on the account that the route has chosen; None when it is gone, or no provider's."""
    return providers.hearer(engine, own=is_on_own(request, engine))


def is_on_own(request: TranscriptionRequest, engine: str) -> bool:
    """Whether the route has chosen the tenant's own account for it; what becomes of that later changes no bill."""
    return engine in request.routing.get("own", [])


def hear(lease: Lease, job: JobRow, request: TranscriptionRequest) -> Part | None:
    """The part's text; None when it waits for a provider. Raises `PartFailed`, `NotMade`, and `LeaseLost`."""
    engine = engine_of(lease, job, request)
    if is_silent(request):
        return Part(engine, Heard(_nothing(lease, request)))
    cloud = hearer_of(request, engine)
    if cloud is not None:
        return _ask(lease, job, request, cloud=cloud)
    if not pools.is_here(engine):
        detail = "The credentials that the engine worked with were deleted meanwhile."
        raise PartFailed(EngineError(kind="auth", code="provider_credentials_gone", detail=detail), engine=engine)
    options = Options.from_json(request.options)
    with samples(lease, job, request) as pcm:
        return Part(
            engine, Heard(_labelled(_hear_here(engine, pcm, options=options, lease=lease), lease, job, request))
        )


def read(
    lease: Lease, job: JobRow, request: TranscriptionRequest, *, attempt: Attempt, answer: Heard | EngineError
) -> Part:
    """What a provider brought, as `hear` gives it."""
    if isinstance(answer, EngineError):
        raise PartFailed(answer, engine=attempt.engine, attempt=attempt)
    return _part(lease, job, request, attempt=attempt, heard=answer)


def asked_of(request: TranscriptionRequest, *, attempt: Attempt, tries: int = 1) -> EngineRequest:
    """The request of a call, the same whoever makes or resumes it."""
    return EngineRequest(
        Options.from_json(request.options), model=model_of(request, attempt.engine),
        reference=f"{attempt.job_id.hex}-{attempt.number}", attempt=tries,
    )  # fmt: skip


def model_of(request: TranscriptionRequest, engine: str) -> str:
    """The model that the route names for an engine, else its best; "" when it has but one without a name."""
    named = request.routing.get("models", {}).get(engine) or request.options.get("model", "")
    models = next((able.models for able in pools.available() if able.name == engine), ())
    return str(named) if named in models else next(iter(models), "")


def is_silent(request: TranscriptionRequest) -> bool:
    """Nothing is to be heard in the recording: no engine is called."""
    return any(warning["code"] == "no_speech" for warning in request.warnings)


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


def _hear_here(name: str, pcm: PcmRange, *, options: Options, lease: Lease) -> Transcript:
    try:
        with pools.lend_engine(name) as engine:
            asked = EngineRequest(
                options, tenant=lease.tenant_id.hex, interactive=lease.queue.endswith(f"/{INTERACTIVE}")
            )
            return engine.transcribe(pcm, request=asked, on_tick=lease.check)
    except EngineError as error:
        raise PartFailed(error, engine=name) from error


def _ask(lease: Lease, job: JobRow, request: TranscriptionRequest, *, cloud: CloudSpeechToText) -> Part | None:
    call = _Call(lease, job, request, cloud=cloud)
    try:
        answer = call.go_on() if lease.call is not None else call.submit()
    except EngineError as error:
        raise PartFailed(error, engine=cloud.capabilities.name, attempt=call.attempt) from error
    failpoint("attempt.answered")
    assert call.attempt is not None
    if isinstance(answer, Heard):
        return _part(lease, job, request, attempt=call.attempt, heard=answer)
    with transaction.atomic():
        await_attempt(lease, call.attempt, external_id=answer.external_id, for_s=call.wait_s(answer))
        failpoint("attempt.uncommitted")
    failpoint("attempt.waits")
    return None


class _Call:
    """One part's call of a provider's engine; `attempt` once it is written down."""

    def __init__(self, lease: Lease, job: JobRow, request: TranscriptionRequest, *, cloud: CloudSpeechToText) -> None:
        self._lease, self._job, self._request = lease, job, request
        self._cloud, self._engine = cloud, cloud.capabilities.name
        self.attempt: Attempt | None = None

    def submit(self) -> Heard | Pending:
        """Written down, then made; nothing is written when it is not made."""
        lease, able = self._lease, self._cloud.capabilities
        ms, again = lease.end_ms - lease.start_ms, lease.attempt > 1
        with calling.call_of(able, self._job, operation=TRANSCRIBE, audio_ms=ms, is_retry=again):
            attempt = self.attempt or self._begin()
            callback = callbacks.callback_of(self._job.tenant_id, attempt) if callbacks.wanted(able) else None
            with samples(lease, self._job, self._request) as pcm, calling.waiting():
                return self._cloud.submit(pcm, request=self._asked, callback=callback, on_tick=lease.check)

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
            raise EngineError(kind="timeout", code="provider_never_finished", detail=detail)
        return answer

    def wait_s(self, answer: Pending) -> float:
        """How long the part waits before it is looked after; one that only calls back has all the time there is."""
        if self._cloud.capabilities.polls:
            return answer.poll_after_s
        assert self.attempt is not None
        return max(0.0, _patience_s(self._lease) - self.attempt.age_s)

    def _begin(self) -> Attempt:
        model = model_of(self._request, self._engine)
        self.attempt = begin_attempt(self._lease, engine=self._engine, model=model)
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
    def _asked(self) -> EngineRequest:
        assert self.attempt is not None
        return asked_of(self._request, attempt=self.attempt, tries=self._lease.attempt)


def _patience_s(lease: Lease) -> float:
    return WAIT_S + WAIT_PER_S * (lease.end_ms - lease.start_ms) / 1000


def _part(
    lease: Lease, job: JobRow, request: TranscriptionRequest, *, attempt: Attempt, heard: Heard
) -> Part:  # fmt: skip
    transcript = _labelled(heard.transcript, lease, job, request)
    full = Heard(transcript, heard.raw, heard.model, heard.external_id or attempt.external_id, heard.units)
    return Part(
        attempt.engine, full, attempt, model=model_of(request, attempt.engine), own=is_on_own(request, attempt.engine)
    )


def _labelled(transcript: Transcript, lease: Lease, job: JobRow, request: TranscriptionRequest) -> Transcript:
    options = Options.from_json(request.options)
    channel = lease.ordinal % request.media["heard_channels"] if options.multichannel else None
    part = lease.ordinal + 1 if options.speaker_scope == "part" and job.segments_total > 1 else None
    return labelled(_as_long(transcript, length_ms=lease.end_ms - lease.start_ms), channel=channel, part=part)


def _as_long(transcript: Transcript, *, length_ms: int) -> Transcript:
    """The transcript of so much audio: a provider may round its length, or make one up."""
    if transcript.duration_ms == length_ms:
        return transcript
    return assemble(
        transcript.segments, language=transcript.language, duration_ms=length_ms,
        language_confidence=transcript.language_confidence,
    )  # fmt: skip


def _nothing(lease: Lease, request: TranscriptionRequest) -> Transcript:
    language = Options.from_json(request.options).language
    return assemble((), language=language, duration_ms=lease.end_ms - lease.start_ms)

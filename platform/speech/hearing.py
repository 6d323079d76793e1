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

from dispatch.facade import Attempt, JobRow, Lease, await_attempt, begin_attempt
from observe.facade import failpoint
from speech import callbacks, crowding, pools, providers
from speech.audio.pcm import BYTES_PER_MS, PcmRange
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
    """What an engine heard; `attempt` is the call of a provider that brought it."""

    engine: str
    heard: Heard
    attempt: Attempt | None = None


class PartFailed(Exception):
    """An engine did not hear its part: why, and in which call."""

    def __init__(self, error: EngineError, *, engine: str, attempt: Attempt | None = None) -> None:
        super().__init__(error.code)
        self.error, self.engine, self.attempt = error, engine, attempt


def engine_of(lease: Lease, job: JobRow, request: TranscriptionRequest) -> str:
    """The engine of the job's route that this part is for."""
    engines = request.routing.get("engines", [])
    return str(engines[lease.choice]) if lease.choice < len(engines) else job.engine or ""


def hear(lease: Lease, job: JobRow, request: TranscriptionRequest) -> Part | None:
    """The part's text; None when it waits for a provider. Raises `PartFailed`, and `LeaseLost`."""
    engine = engine_of(lease, job, request)
    if is_silent(request):
        return Part(engine, Heard(_nothing(lease, request)))
    if engine in providers.hearers():
        return _ask(lease, job, request, engine=engine)
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
    """The model that the route names for an engine; "" its best."""
    named = request.routing.get("models", {}).get(engine) or request.options.get("model", "")
    return str(named) if named in pools.capabilities_of(engine).models else ""


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
            return engine.transcribe(pcm, request=EngineRequest(options), on_tick=lease.check)
    except EngineError as error:
        raise PartFailed(error, engine=name) from error


def _ask(lease: Lease, job: JobRow, request: TranscriptionRequest, *, engine: str) -> Part | None:
    cloud = providers.hearers()[engine]
    attempt = begin_attempt(lease, engine=engine, model=model_of(request, engine))
    failpoint("attempt.begun")
    asked = asked_of(request, attempt=attempt, tries=lease.attempt)
    try:
        if attempt.external_id:
            answer = _ask_again(cloud, lease, attempt, asked)
        else:
            answer = _submit(cloud, lease, job, request, attempt=attempt, asked=asked)
    except EngineError as error:
        raise PartFailed(error, engine=engine, attempt=attempt) from error
    failpoint("attempt.answered")
    if isinstance(answer, Heard):
        return _part(lease, job, request, attempt=attempt, heard=answer)
    wait_s = answer.poll_after_s if cloud.capabilities.polls else max(0.0, _patience_s(lease) - attempt.age_s)
    with transaction.atomic():
        await_attempt(lease, attempt, external_id=answer.external_id, for_s=wait_s)
        failpoint("attempt.uncommitted")
    failpoint("attempt.waits")
    return None


def _submit(
    cloud: CloudSpeechToText,
    lease: Lease,
    job: JobRow,
    request: TranscriptionRequest,
    *,
    attempt: Attempt,
    asked: EngineRequest,
) -> Heard | Pending:
    callback = callbacks.callback_of(job.tenant_id, attempt) if callbacks.wanted(cloud.capabilities) else None
    with samples(lease, job, request) as pcm, crowding.waiting():
        return cloud.submit(pcm, request=asked, callback=callback, on_tick=lease.check)


def _ask_again(cloud: CloudSpeechToText, lease: Lease, attempt: Attempt, asked: EngineRequest) -> Heard | Pending:
    """What has become of it. A question that is not answered is asked again; an answer that never comes is too late."""
    answer: Heard | Pending = Pending(attempt.external_id, POLL_AGAIN_S)
    if cloud.capabilities.polls:
        try:
            with crowding.waiting():
                answer = cloud.poll(attempt.external_id, request=asked)
        except EngineError as error:
            if not error.may_pass:
                raise
            answer = Pending(attempt.external_id, error.retry_after_s or POLL_AGAIN_S)
    if isinstance(answer, Pending) and attempt.age_s > _patience_s(lease):
        detail = "The provider took the part and did not bring its text in time. It is submitted anew."
        raise EngineError(kind="timeout", code="provider_never_finished", detail=detail)
    return answer


def _patience_s(lease: Lease) -> float:
    return WAIT_S + WAIT_PER_S * (lease.end_ms - lease.start_ms) / 1000


def _part(
    lease: Lease, job: JobRow, request: TranscriptionRequest, *, attempt: Attempt, heard: Heard
) -> Part:  # fmt: skip
    transcript = _labelled(heard.transcript, lease, job, request)
    full = Heard(transcript, heard.raw, heard.model, heard.external_id or attempt.external_id, heard.units)
    return Part(attempt.engine, full, attempt)


def _labelled(transcript: Transcript, lease: Lease, job: JobRow, request: TranscriptionRequest) -> Transcript:
    options = Options.from_json(request.options)
    channel = lease.ordinal % request.media["heard_channels"] if options.multichannel else None
    part = lease.ordinal + 1 if options.speaker_scope == "part" and job.segments_total > 1 else None
    return labelled(transcript, channel=channel, part=part)


def _nothing(lease: Lease, request: TranscriptionRequest) -> Transcript:
    language = Options.from_json(request.options).language
    return assemble((), language=language, duration_ms=lease.end_ms - lease.start_ms)

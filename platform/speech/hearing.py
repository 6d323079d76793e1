"""Having one part of a recording heard by an engine, here or at a provider's.

What is submitted to a provider is written down before and after. One that answers later is asked again, or calls back;
meanwhile the part waits and holds nothing. Whoever comes back to it asks for what was submitted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import transaction

from dispatch.facade import INTERACTIVE, Attempt, JobRow, Lease, await_attempt
from observe.facade import failpoint
from speech import hedge, pools
from speech.audio.pcm import PcmRange
from speech.calling import NotMade
from speech.engines.errors import EngineError, EngineNotFree
from speech.engines.ports import CloudSpeechToText, EngineRequest, Heard, Pending
from speech.models import TranscriptionRequest
from speech.options import Options
from speech.part_calls import PartCall, RivalCall, hearer_of, is_on_own, model_of, samples
from speech.transcript import Transcript, assemble, labelled


@dataclass(frozen=True, slots=True)
class Part:
    """What an engine heard, and with which of its models if one was named; `attempt` is the call that brought it."""

    engine: str
    heard: Heard
    attempt: Attempt | None = None
    model: str = ""
    own: bool = False  # on the tenant's own account
    beside: tuple[PartFailed, ...] = ()  # calls that failed while this one was made
    hedged: bool = False  # others may be under way still, and are given up


class PartFailed(Exception):
    """An engine did not hear its part: why, and in which call; `beside` are others that failed with it."""

    def __init__(
        self, error: EngineError, *, engine: str, attempt: Attempt | None = None, beside: tuple[PartFailed, ...] = ()
    ) -> None:
        super().__init__(error.code)
        self.error, self.engine, self.attempt, self.beside = error, engine, attempt, beside


def engine_of(lease: Lease, job: JobRow, request: TranscriptionRequest) -> str:
    """The engine of the job's route that this part is for."""
    engines = request.routing.get("engines", [])
    return str(engines[lease.choice]) if lease.choice < len(engines) else job.engine or ""


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


def is_silent(request: TranscriptionRequest) -> bool:
    """Nothing is to be heard in the recording: no engine is called."""
    return any(warning["code"] == "no_speech" for warning in request.warnings)


def _hear_here(name: str, pcm: PcmRange, *, options: Options, lease: Lease) -> Transcript:
    try:
        with pools.lend_engine(name) as engine:
            asked = EngineRequest(
                options, attempt=lease.attempt, tenant=lease.tenant_id.hex,
                interactive=lease.queue.endswith(f"/{INTERACTIVE}"),
            )  # fmt: skip
            return engine.transcribe(pcm, request=asked, on_tick=lease.check)
    except EngineNotFree as refusal:
        raise NotMade(refusal.code, retry_after_s=refusal.retry_after_s or 0.0) from None
    except EngineError as error:
        raise PartFailed(error, engine=name) from error


def _ask(lease: Lease, job: JobRow, request: TranscriptionRequest, *, cloud: CloudSpeechToText) -> Part | None:
    rival = _rival(lease, job, request, cloud=cloud) if lease.call is None else None
    if rival is not None:
        return _ask_two(lease, job, request, first=PartCall(lease, job, request, cloud=cloud), second=rival)
    call = PartCall(lease, job, request, cloud=cloud)
    try:
        answer = call.go_on() if lease.call is not None else call.submit()
    except EngineError as error:
        raise PartFailed(error, engine=cloud.capabilities.name, attempt=call.attempt) from error
    return _answered(lease, job, request, call=call, answer=answer)


def _rival(lease: Lease, job: JobRow, request: TranscriptionRequest, *, cloud: CloudSpeechToText) -> RivalCall | None:
    """The next provider of the route that can answer at once, where a second one may be asked."""
    if not hedge.is_wanted(lease, job, request, cloud.capabilities):
        return None
    engines = request.routing.get("engines", [])[lease.choice + 1 :]
    others = [other for engine in engines if (other := hearer_of(request, engine)) is not None]
    other = next((other for other in others if hedge.may_rival(other, lease)), None)
    return RivalCall(lease, job, request, cloud=other, beside=cloud.capabilities.name) if other is not None else None


def _ask_two(
    lease: Lease, job: JobRow, request: TranscriptionRequest, *, first: PartCall, second: RivalCall
) -> Part | None:  # fmt: skip
    try:
        call, answer = hedge.first_answer(first, second, after_s=hedge.after_s(first.engine))
    except EngineError as error:
        raise PartFailed(error, engine=first.engine, attempt=first.attempt, beside=_failed(second)) from error
    part = _answered(lease, job, request, call=call, answer=answer)
    return replace(part, beside=_failed(second if call is first else first), hedged=True) if part else None


def _failed(call: PartCall) -> tuple[PartFailed, ...]:
    """A call as a failure, if it is one that was made."""
    if call.error is None or call.attempt is None:
        return ()
    return (PartFailed(call.error, engine=call.engine, attempt=call.attempt),)


def _answered(
    lease: Lease, job: JobRow, request: TranscriptionRequest, *, call: PartCall, answer: Heard | Pending
) -> Part | None:  # fmt: skip
    failpoint("attempt.answered")
    assert call.attempt is not None
    if isinstance(answer, Heard):
        return _part(lease, job, request, attempt=call.attempt, heard=answer)
    with transaction.atomic():
        await_attempt(lease, call.attempt, external_id=answer.external_id, for_s=call.wait_s(answer))
        failpoint("attempt.uncommitted")
    failpoint("attempt.waits")
    return None


def _part(
    lease: Lease, job: JobRow, request: TranscriptionRequest, *, attempt: Attempt, heard: Heard
) -> Part:  # fmt: skip
    transcript = _labelled(heard.transcript, lease, job, request)
    full = Heard(transcript, heard.raw, heard.model, heard.external_id or attempt.external_id, heard.units)
    model = model_of(request, attempt.engine, told=heard.model)
    return Part(attempt.engine, full, attempt, model=model, own=is_on_own(request, attempt.engine))


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

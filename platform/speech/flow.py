"""A transcription from claim to finish, one step at a time. Read it top to bottom.

    prepare (fetch, decode, route, cut) → transcribe per segment → merge → finish

Each step does its slow work outside any transaction and ends in one fenced transaction. A step that is killed is run
again from its beginning by whoever claims it next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from billing.facade import InsufficientFunds, raise_hold
from dispatch.facade import (
    BATCH,
    INTERACTIVE,
    GiveUp,
    JobKind,
    JobRow,
    Lease,
    LeaseLost,
    NewItem,
    RetryLater,
    ServiceClass,
    announce_progress,
    cut_into_segments,
    enqueue,
    enqueue_leased,
    finish_segment,
    get_job,
    start,
    wake_on_commit,
)
from observe.facade import failpoint, record, span
from observe.instruments import AUDIO_SECONDS
from speech import choosing, ending, fetching, planning, pools, providers, sharing
from speech.audio.errors import MediaError
from speech.audio.media import Audio
from speech.audio.pcm import BYTES_PER_MS, PcmRange
from speech.contracts import KIND, METER, SHORT_AUDIO_MS, NoEngine
from speech.engines.errors import EngineError
from speech.engines.ports import EngineRequest, Pending
from speech.models import Checkpoint, TranscriptionRequest
from speech.objects import pcm_key
from speech.offers import uses
from speech.options import Options
from speech.planning import Plan
from speech.routing import Route
from speech.transcript import Transcript, from_json, labelled, merge, to_json
from speech.workspace import workspace
from storage.facade import store
from tenants.facade import tenant_context, tenant_ref

if TYPE_CHECKING:
    from speech.audio.cuts import Span

MEDIA = "media"
PREPARE, TRANSCRIBE, MERGE = "prepare", "transcribe", "merge"
PREPARE_COST_MS = 500
MERGE_COST_MS = 50


Step = Callable[[Lease, JobRow], list[Lease]]


def runner(steps: Mapping[str, Step]) -> Callable[[Lease], list[Lease]]:
    """Does one step of a kind of job; returns leases of steps that follow at once in this process."""

    def run(lease: Lease) -> list[Lease]:
        with tenant_context(tenant_ref(lease.tenant_id)):
            job = get_job(lease.job_id)
            if job is None:
                raise LeaseLost
            with span(f"{job.kind} {lease.step}", parent=job.traceparent, **{"parlance.attempt": lease.attempt}):
                return steps[lease.step](lease, job)

    return run


def prepare(lease: Lease, job: JobRow) -> list[Lease]:
    """Fetch, decode, choose an engine, hold the measured price, cut. Nothing of this costs a provider's money."""
    start(job.id)
    failpoint("prepare.started")
    request = TranscriptionRequest.objects.get(pk=job.id)
    options = Options.from_json(request.options)
    if sharing.answered(lease, job, request):
        return []
    route = _route(request, options)
    with workspace() as folder:
        source = fetching.fetch(job, request, folder=folder)
        if sharing.answered_once_known(lease, job, request, source=source):
            return []
        audio = _decode(source, folder=folder, lease=lease, split_channels=options.multichannel)
        plan = planning.plan(audio, options=options, engine=route.engines[0])
        _keep_samples(job, audio)
    failpoint("prepare.worked")
    return _cut_job(lease, job, request, audio=audio, route=route, plan=plan)


def transcribe(lease: Lease, job: JobRow) -> list[Lease]:
    """Hear one segment and keep its text as a checkpoint; whoever finishes the last one goes on to `merge`."""
    request = TranscriptionRequest.objects.get(pk=job.id)
    heard = _hear(lease, job, request)
    failpoint("transcribe.worked")
    with transaction.atomic():
        left = finish_segment(lease)
        Checkpoint.objects.create(
            job_id=job.id, ordinal=lease.ordinal, start_ms=lease.start_ms, end_ms=lease.end_ms,
            engine=job.engine or "", price_version=job.price_version, body=to_json(heard),
        )  # fmt: skip
        failpoint("checkpoint.uncommitted")
        followers = _enqueue_merge(job) if left == 0 else []
        announce_progress(job.id)
    failpoint("checkpoint.committed")
    return followers


def join(lease: Lease, job: JobRow) -> list[Lease]:
    """Join the segments' texts and finish the job."""
    request = TranscriptionRequest.objects.get(pk=job.id)
    rows = Checkpoint.objects.filter(job_id=job.id).order_by("ordinal")
    transcript = merge([(row.start_ms, from_json(row.body)) for row in rows])
    failpoint("merge.worked")
    ending.complete(lease, job, request, transcript)
    failpoint("finish.committed")
    return []


STEPS = {PREPARE: prepare, TRANSCRIBE: transcribe, MERGE: join}
run = runner(STEPS)
JOB_KINDS = {KIND: JobKind(run=run, fail=ending.fail)}


def first_item() -> NewItem:
    """What every job begins with."""
    return NewItem(step=PREPARE, executor=MEDIA, cost_ms=PREPARE_COST_MS)


def executor_for(engine: str) -> str:
    """Who runs an engine's segments."""
    return providers.executor_of(engine)


def _route(request: TranscriptionRequest, options: Options) -> Route:
    try:
        return choosing.route_again(request, options)
    except NoEngine as error:  # it was there when the job was accepted
        raise GiveUp(error.code, error.detail) from None


def _decode(source: Path, *, folder: Path, lease: Lease, split_channels: bool) -> Audio:
    try:
        with pools.decoders.lend() as decoder:
            return decoder.decode(
                source, pcm_out=folder / "audio.pcm", levels_out=folder / "levels", limits=fetching.media_limits(),
                split_channels=split_channels, on_tick=lease.check,
            )  # fmt: skip
    except MediaError as error:
        if error.code == "media_decoder_failed":
            raise RetryLater(error.code, error.detail) from error
        raise GiveUp(error.code, error.detail) from error


def _keep_samples(job: JobRow, audio: Audio) -> None:
    """Each segment reads its stretch from here, on whatever machine it is heard."""
    files: dict[int | None, Path] = dict(enumerate(audio.channel_pcm))
    for channel, path in (files or {None: audio.pcm}).items():
        key = pcm_key(job.tenant_id, job.id, channel=channel)
        store().put_file(key, path=path, content_type="audio/L16", move=True)


def _cut_job(
    lease: Lease, job: JobRow, request: TranscriptionRequest, *, audio: Audio, route: Route, plan: Plan
) -> list[Lease]:
    engine = route.engines[0]
    note_audio(request, tenant_id=job.tenant_id, audio=audio, route=route, plan=plan)
    short = job.service_class == INTERACTIVE or plan.wanted_ms <= SHORT_AUDIO_MS
    service_class: ServiceClass = INTERACTIVE if short else BATCH
    heard = set(Checkpoint.objects.filter(job_id=job.id, engine=engine).values_list("ordinal", "start_ms", "end_ms"))
    missing = [(number, span) for number, span in plan.parts if (number, span.start_ms, span.end_ms) not in heard]
    with transaction.atomic():
        cut_into_segments(
            lease,
            segments=len(plan.parts),
            left=len(missing),
            measured_ms=plan.wanted_ms,
            engine=engine,
            service_class=service_class,
        )
        _hold(job.id, engine=engine, plan=plan)
        request.save(update_fields=["media", "routing", "warnings"])
        current = get_job(job.id)
        assert current is not None
        followers = (
            _enqueue_segments(lease, current, spans=missing, engine=engine) if missing else _enqueue_merge(current)
        )
        announce_progress(job.id)
    failpoint("prepare.committed")
    return followers


def note_audio(request: TranscriptionRequest, *, tenant_id: UUID, audio: Audio, route: Route, plan: Plan) -> None:
    """What was found out about the recording, for the customer and for the steps that follow."""
    engine = route.engines[0]
    record(AUDIO_SECONDS, audio.duration_ms / 1000, engine)
    request.media = {
        "duration_ms": audio.duration_ms, "channels": audio.channels, "sample_rate_hz": audio.sample_rate_hz,
        "codec": audio.codec, "container": audio.container, "damaged": audio.damaged,
        "start_ms": plan.start_ms, "heard_channels": plan.channels,
    }  # fmt: skip
    request.routing |= route.to_json()
    if request.livemode:
        uses.note(tenant_id, engine=engine, model=route.models.get(engine, ""))
    request.warnings = _warnings(audio, engine)


def _hold(job_id: UUID, *, engine: str, plan: Plan) -> None:
    """Before any engine is called: the measured price must be held, or the job ends here and costs nothing."""
    try:
        raise_hold(job_id, engine=engine, meter=METER, quantity=plan.wanted_ms, channels=plan.channels)
    except InsufficientFunds as error:
        raise GiveUp(
            "insufficient_funds",
            f"The audio is {plan.wanted_ms} ms long and the balance does not cover it. Top up and send it again.",
        ) from error


def _enqueue_segments(lease: Lease, job: JobRow, *, spans: Sequence[tuple[int, Span]], engine: str) -> list[Lease]:
    executor, rtfx = executor_for(engine), pools.capabilities_of(engine).rtfx
    items = [
        NewItem(
            step=TRANSCRIBE, executor=executor, ordinal=number, start_ms=span.start_ms, end_ms=span.end_ms,
            cost_ms=max(1, round((span.end_ms - span.start_ms) / rtfx)),
        )
        for number, span in spans
    ]  # fmt: skip
    if lease.inline and len(items) == 1:
        follower = enqueue_leased(job, items[0], only_if_idle=True)
        if follower is not None:
            return [follower]
    enqueue(job, items)
    wake_on_commit(executor)
    return []


def _enqueue_merge(job: JobRow) -> list[Lease]:
    item = NewItem(step=MERGE, executor=MEDIA, cost_ms=MERGE_COST_MS)
    follower = enqueue_leased(job, item, only_if_idle=False)
    return [follower] if follower else []


def _hear(lease: Lease, job: JobRow, request: TranscriptionRequest) -> Transcript:
    options = Options.from_json(request.options)
    if _is_silent(request):
        return Transcript(text="", language=options.language, duration_ms=lease.end_ms - lease.start_ms,
                          segments=(), words=())  # fmt: skip
    channels = request.media["heard_channels"]
    channel = lease.ordinal % channels if options.multichannel else None
    with workspace() as folder:
        pcm = _segment_samples(lease, job, folder=folder, channel=channel if channels > 1 else None)
        heard = call_engine(job.engine or "", pcm, options=options, lease=lease)
    part = lease.ordinal + 1 if options.speaker_scope == "part" and job.segments_total > 1 else None
    return labelled(heard, channel=channel, part=part)


def call_engine(name: str, pcm: PcmRange, *, options: Options, lease: Lease) -> Transcript:
    """What the engine heard; its failures as the dispatcher's."""
    try:
        if name in providers.hearers():
            heard = providers.hearers()[name].submit(pcm, request=EngineRequest(options), on_tick=lease.check)
            if isinstance(heard, Pending):
                raise GiveUp("engine_answers_later", "This engine answers later, which is not supported yet.")
            return heard.transcript
        with pools.lend_engine(name) as engine:
            return engine.transcribe(pcm, request=EngineRequest(options), on_tick=lease.check)
    except EngineError as error:
        if error.may_pass or error.kind == "quota":
            raise RetryLater(error.code, error.detail) from error
        raise GiveUp(error.code, error.detail) from error


def _segment_samples(lease: Lease, job: JobRow, *, folder: Path, channel: int | None) -> PcmRange:
    path, duration_ms = folder / "segment.pcm", lease.end_ms - lease.start_ms
    start, end = lease.start_ms * BYTES_PER_MS, lease.end_ms * BYTES_PER_MS
    with path.open("wb") as file:
        for chunk in store().open_range(pcm_key(job.tenant_id, job.id, channel=channel), start=start, end=end):
            file.write(chunk)
    return PcmRange(path=path, start_ms=0, end_ms=duration_ms)


def _is_silent(request: TranscriptionRequest) -> bool:
    return any(warning["code"] == "no_speech" for warning in request.warnings)


def _warnings(audio: Audio, engine: str) -> list[dict[str, str]]:
    found = [{"code": w.code, "detail": w.detail} for w in pools.capabilities_of(engine).warnings]
    if audio.silence:
        found.append({"code": "no_speech", "detail": "The audio is silent from start to end; no engine was called."})
    if audio.damaged:
        found.append({"code": "audio_damaged", "detail": "The file is damaged; only what could be decoded was heard."})
    return found

"""A transcription from claim to finish, one step at a time. Read it top to bottom.

    prepare (fetch, decode, route, cut) → transcribe per segment → merge → finish

Each step does its slow work outside any transaction and ends in one fenced transaction. A step that is killed is run
again from its beginning by whoever claims it next. A segment whose provider answers later waits in between, and one
whose engine fails goes on with the next engine of the route (`failover`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
    Stretch,
    announce_progress,
    cut_into_segments,
    end_attempt,
    enqueue,
    enqueue_leased,
    finish_segment,
    get_job,
    lock_job,
    start,
    under_way,
    wake_on_commit,
)
from observe.facade import failpoint, record
from observe.instruments import AUDIO_SECONDS
from speech import booking, choosing, ending, failover, fetching, hearing, pacing, planning, pools, providers, sharing
from speech.audio.errors import MediaError
from speech.audio.media import Audio
from speech.audio.pcm import PcmRange
from speech.calling import NotMade
from speech.contracts import (
    KIND,
    MEDIA,
    MERGE,
    METER,
    PREPARE,
    PREPARE_COST_MS,
    SHORT_AUDIO_MS,
    TRANSCRIBE,
    NoEngine,
)
from speech.engines.errors import EngineError
from speech.engines.ports import EngineRequest
from speech.hearing import Part
from speech.models import Checkpoint, TranscriptionRequest
from speech.objects import pcm_key, raw_key
from speech.offers import uses
from speech.options import Options
from speech.planning import Plan
from speech.routing import Route
from speech.steps import runner
from speech.transcript import Transcript, from_json, merge, to_json
from speech.workspace import workspace
from storage.facade import store

if TYPE_CHECKING:
    from speech.audio.cuts import Span

MERGE_COST_MS = 50


def prepare(lease: Lease, job: JobRow) -> list[Lease]:
    """Fetch, decode, choose an engine, hold the measured price, cut. Nothing of this costs a provider's money."""
    start(job.id)
    failpoint("prepare.started")
    request = TranscriptionRequest.objects.get(pk=job.id)
    options = Options.from_json(request.options)
    if sharing.answered(lease, job, request):
        return []
    route = _route(lease, request, options)
    with workspace() as folder:
        source = fetching.fetch(job, request, folder=folder)
        if sharing.answered_once_known(lease, job, request, source=source):
            return []
        audio = _decode(source, folder=folder, lease=lease, split_channels=options.multichannel)
        plan = planning.plan(audio, options=options, engine=route.engines[0])
        if lease.choice == 0 and pacing.has_to_wait(lease, job, audio_ms=plan.wanted_ms):
            return []
        _keep_samples(job, audio)
    failpoint("prepare.worked")
    if lease.choice == 0:
        note_audio(request, tenant_id=job.tenant_id, audio=audio, route=route, plan=plan)
    return _cut_job(lease, job, request, engine=route.engines[0], plan=plan)


def transcribe(lease: Lease, job: JobRow) -> list[Lease]:
    """Have one segment heard and keep its text; nothing more when it waits for a provider or goes on elsewhere."""
    request = TranscriptionRequest.objects.get(pk=job.id)
    try:
        part = hearing.hear(lease, job, request)
    except hearing.PartFailed as failed:
        failover.after(failed, lease, job, request)
        return []
    except NotMade as refusal:
        failover.instead(refusal, lease, job, request)
        return []
    return keep(lease, job, request, part) if part is not None else []


def keep(lease: Lease, job: JobRow, request: TranscriptionRequest, part: Part) -> list[Lease]:
    """A segment's text as a checkpoint; whoever finishes the last one goes on to `merge`."""
    kept_raw = _keep_raw(lease, job, part)
    failpoint("transcribe.worked")
    with transaction.atomic():
        left = finish_segment(lease)
        Checkpoint.objects.create(
            job_id=job.id, ordinal=lease.ordinal, start_ms=lease.start_ms, end_ms=lease.end_ms, engine=part.engine,
            price_version=job.price_version, body=to_json(part.heard.transcript), raw_key=kept_raw,
        )  # fmt: skip
        _note_attempt(lease, job, request, part)
        failpoint("checkpoint.uncommitted")
        followers = _enqueue_merge(job) if left == 0 else []
        announce_progress(job.id)
    failpoint("checkpoint.committed")
    return followers


def join(lease: Lease, job: JobRow) -> list[Lease]:
    """Join the segments' texts and finish the job."""
    request = TranscriptionRequest.objects.get(pk=job.id)
    rows = Checkpoint.objects.filter(job_id=job.id).order_by("start_ms", "ordinal")
    transcript = merge([(row.start_ms, from_json(row.body)) for row in rows])
    failpoint("merge.worked")
    ending.complete(lease, job, request, transcript)
    failpoint("finish.committed")
    return []


STEPS = {PREPARE: prepare, TRANSCRIBE: transcribe, MERGE: join}
run = runner(STEPS)
JOB_KINDS = {KIND: JobKind(run=run, fail=ending.ENDS.fail)}


def first_item() -> NewItem:
    """What every job begins with."""
    return NewItem(step=PREPARE, executor=MEDIA, cost_ms=PREPARE_COST_MS)


def executor_for(engine: str) -> str:
    """Who runs an engine's segments."""
    return providers.executor_of(engine)


def _route(lease: Lease, request: TranscriptionRequest, options: Options) -> Route:
    """The engines from this one on: chosen once, and then kept."""
    if lease.choice:
        return Route(
            tuple(request.routing["engines"][lease.choice :]),
            request.routing["reasons"],
            own=tuple(request.routing.get("own", ())),
        )
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


def _cut_job(lease: Lease, job: JobRow, request: TranscriptionRequest, *, engine: str, plan: Plan) -> list[Lease]:
    """Queue whatever of the recording nobody has heard and nobody is at."""
    short = job.service_class == INTERACTIVE or plan.wanted_ms <= SHORT_AUDIO_MS
    service_class: ServiceClass = INTERACTIVE if short else BATCH
    with transaction.atomic():
        if lock_job(job.id) is None:
            raise LeaseLost
        heard, busy = _heard(job, plan), under_way(job.id, step=TRANSCRIBE)
        missing = plan.missing([*heard, *busy])
        cut_into_segments(
            lease,
            segments=len(heard) + len(busy) + len(missing),
            left=len(busy) + len(missing),
            measured_ms=plan.wanted_ms,
            engine=engine,
            service_class=service_class,
        )
        _hold(job.id, engine=engine, beside=_billed_beside(request, heard, busy), plan=plan)
        if lease.choice == 0:
            request.save(update_fields=["media", "routing", "warnings"])
        current = get_job(job.id)
        assert current is not None
        followers = _enqueue_segments(lease, current, spans=missing, engine=engine) if missing else []
        if not missing and not busy:
            followers = _enqueue_merge(current)
        announce_progress(job.id)
    failpoint("prepare.committed")
    return followers


def _heard(job: JobRow, plan: Plan) -> list[Checkpoint]:
    """The finished parts; of channels that are heard apart only those that were cut as they are now."""
    rows = list(Checkpoint.objects.filter(job_id=job.id).defer("body").order_by("ordinal"))
    misfits = plan.misfits(rows) if plan.channels > 1 else set()
    if misfits:
        Checkpoint.objects.filter(job_id=job.id, ordinal__in=misfits).delete()
    return [row for row in rows if row.ordinal not in misfits]


def _billed_beside(request: TranscriptionRequest, heard: Sequence[Checkpoint], busy: Sequence[Stretch]) -> set[str]:
    """Engines other than the one that comes now, whose work will be on the bill too."""
    engines = request.routing.get("engines", [])
    return {row.engine for row in heard} | {engines[part.choice] for part in busy if part.choice < len(engines)}


def note_audio(request: TranscriptionRequest, *, tenant_id: UUID, audio: Audio, route: Route, plan: Plan) -> None:
    """What was found out about the recording, for the customer and for the steps that follow."""
    engine = route.engines[0]
    record(AUDIO_SECONDS, audio.duration_ms / 1000, engine)
    request.media = {
        "duration_ms": audio.duration_ms, "channels": audio.channels, "sample_rate_hz": audio.sample_rate_hz,
        "codec": audio.codec, "container": audio.container, "damaged": audio.damaged,
        "start_ms": plan.start_ms, "heard_channels": plan.channels,
    }  # fmt: skip
    request.routing = {name: told for name, told in request.routing.items() if name != "own"} | route.to_json()
    if request.livemode:
        uses.note(tenant_id, engine=engine, model=route.models.get(engine, ""))
    request.warnings = _warnings(audio, engine)


def _hold(job_id: UUID, *, engine: str, beside: Collection[str], plan: Plan) -> None:
    """Before any engine is called: the measured price must be held, or the job ends here and costs nothing."""
    try:
        raise_hold(
            job_id, engine=engine, beside=sorted(beside), meter=METER, quantity=plan.wanted_ms, channels=plan.channels
        )
    except InsufficientFunds as error:
        raise GiveUp(error.code, f"The audio is {plan.wanted_ms} ms long. {error}") from error


def _enqueue_segments(lease: Lease, job: JobRow, *, spans: Sequence[tuple[int, Span]], engine: str) -> list[Lease]:
    executor, rtfx = executor_for(engine), pools.capabilities_of(engine).rtfx
    items = [
        NewItem(
            step=TRANSCRIBE, executor=executor, ordinal=number, start_ms=span.start_ms, end_ms=span.end_ms,
            cost_ms=max(1, round((span.end_ms - span.start_ms) / rtfx)), choice=lease.choice,
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


def call_engine(name: str, pcm: PcmRange, *, options: Options, lease: Lease) -> Transcript:
    """What an engine of this machine heard, for a job that is done in one go; its failures as the dispatcher's."""
    try:
        with pools.lend_engine(name) as engine:
            return engine.transcribe(pcm, request=EngineRequest(options), on_tick=lease.check)
    except EngineError as error:
        if error.kind == "bad_audio":
            raise GiveUp(error.code, error.detail) from error
        raise RetryLater(error.code, error.detail) from error  # a worker takes it from there, with the engines left


def _keep_raw(lease: Lease, job: JobRow, part: Part) -> str:
    """The provider's own answer beside the transcript: content, and erased with it."""
    if part.attempt is None or not part.heard.raw:
        return ""
    span_ms = (lease.start_ms, lease.end_ms)
    key = raw_key(job.tenant_id, job.id, span_ms=span_ms, number=part.attempt.number, engine=part.engine)
    store().put_bytes(key, data=part.heard.raw, content_type="application/json")
    return key


def _note_attempt(lease: Lease, job: JobRow, request: TranscriptionRequest, part: Part) -> None:
    if part.attempt is None:
        return
    if part.hedged:
        failover.note_others(part, lease, job, request)
        if part.engine != hearing.engine_of(lease, job, request):
            failover.note_engine(job.id, request, engine=part.engine)
    end_attempt(part.attempt, outcome="done", model=part.heard.model, external_id=part.heard.external_id)
    if request.livemode:
        uses.note(
            job.tenant_id, engine=part.engine, model=part.model
        )  # also of one that stood in for the route's first
    if not part.own:
        booking.book(job, part.attempt, units=part.heard.units, model=part.model)


def _warnings(audio: Audio, engine: str) -> list[dict[str, str]]:
    found = [{"code": w.code, "detail": w.detail} for w in pools.capabilities_of(engine).warnings]
    if audio.silence:
        found.append({"code": "no_speech", "detail": "The audio is silent from start to end; no engine was called."})
    if audio.damaged:
        found.append({"code": "audio_damaged", "detail": "The file is damaged; only what could be decoded was heard."})
    return found

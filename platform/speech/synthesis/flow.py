"""A speech job from claim to finish, one step at a time, like `speech.flow`.

prepare (cut) → speak per part → merge (join, encode) → finish
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from django.db import transaction

from dispatch.facade import (
    JobKind,
    JobRow,
    Lease,
    NewItem,
    RetryLater,
    announce_progress,
    cut_into_segments,
    enqueue,
    enqueue_leased,
    finish_segment,
    get_job,
    start,
    wake_on_commit,
)
from observe.facade import failpoint
from speech.audio.encoders import EncodingFailed
from speech.audio.encoding import encode
from speech.calling import NotMade
from speech.contracts import MEDIA, MERGE, PREPARE
from speech.engines.speaking import Count, Timing
from speech.flow import MERGE_COST_MS, executor_for
from speech.models import Checkpoint, SpeechRequest
from speech.objects import part_key
from speech.providers import speakers
from speech.steps import runner
from speech.synthesis import calling, cutting, ending, failover, joining, taking_over, timekeeping
from speech.synthesis.contracts import KIND
from speech.synthesis.errors import SpeakFailed
from speech.synthesis.parts import parts_of, spoken_part
from speech.synthesis.voices import speaking, voice_by_id
from speech.workspace import workspace
from storage.facade import store

SPEAK = "speak"
PART_WORK_MS = 10_000  # what a killed worker loses
MS_PER_CHARACTER = 65  # of speech, for what a part will cost; trued up when it is done
LEAST_PART_CHARACTERS = 200


def prepare(lease: Lease, job: JobRow) -> list[Lease]:
    """Take over what was said before, or cut the text into parts that are spoken side by side."""
    request = SpeechRequest.objects.get(pk=job.id)
    start(job.id, engine=request.engine)
    if taking_over.answered(lease, job, request):
        return []
    parts = cut(request)
    done = set(Checkpoint.objects.filter(job_id=job.id).values_list("ordinal", flat=True))
    missing = [(number, part) for number, part in enumerate(parts) if number not in done]
    with transaction.atomic():
        cut_into_segments(
            lease, segments=len(parts), left=len(missing), measured_ms=None, engine=request.engine,
            service_class=job.service_class,
        )  # fmt: skip
        calling.drop(lease, job)
        current = get_job(job.id)
        assert current is not None
        followers = _enqueue_parts(lease, current, request, parts=missing) if missing else _enqueue_merge(current)
        announce_progress(job.id)
    failpoint("prepare.committed")
    return followers


def speak(lease: Lease, job: JobRow) -> list[Lease]:
    """Speak one part and keep its samples; whoever finishes the last one goes on to `merge`."""
    request = SpeechRequest.objects.get(pk=job.id)
    key = part_key(job.tenant_id, job.id, ordinal=lease.ordinal, token=lease.token)
    with workspace() as folder:
        try:
            with calling.called(lease, job, request) as call:
                samples = _speak(lease, request, call, path=folder / "part.pcm")
                marks = _marks(lease, request, call) if request.timings else []
        except (SpeakFailed, NotMade) as error:
            failover.after(error, lease, job, request)
            return []
        store().put_file(key, path=folder / "part.pcm", content_type="audio/L16", move=True)
    failpoint("speak.worked")
    with calling.stopped_unless_ours(job, call), transaction.atomic():
        left = finish_segment(lease)
        Checkpoint.objects.create(
            job_id=job.id, ordinal=lease.ordinal, start_ms=lease.start_ms, end_ms=lease.end_ms, engine=request.engine,
            price_version=job.price_version, body={"object_key": key, "samples": samples, "marks": marks},
        )  # fmt: skip
        calling.note(job, call)
        failpoint("checkpoint.uncommitted")
        followers = _enqueue_merge(job) if left == 0 else []
        announce_progress(job.id)
    return followers


def join(lease: Lease, job: JobRow) -> list[Lease]:
    """Join the parts' samples into one file and finish the job."""
    request = SpeechRequest.objects.get(pk=job.id)
    rows = list(Checkpoint.objects.filter(job_id=job.id).order_by("ordinal"))
    voice_hz = voice_by_id(request.voice).sample_rate_hz
    with workspace() as folder:
        _write_file(lease, request, rows=rows, path=folder / "audio", voice_hz=voice_hz)
        duration_ms = sum(row.body["samples"] for row in rows) * 1000 // voice_hz
        if request.timings:
            timekeeping.keep(lease, job, request, rows=rows, voice_hz=voice_hz)
        failpoint("merge.worked")
        ending.complete(lease, job, request, file=folder / "audio", duration_ms=duration_ms)
    failpoint("finish.committed")
    return []


STEPS = {PREPARE: prepare, SPEAK: speak, MERGE: join}
JOB_KINDS = {KIND: JobKind(run=runner(STEPS), fail=ending.ENDS.fail)}


def cut(request: SpeechRequest) -> list[cutting.Part]:
    """The parts of a text, each the work of some seconds at most; SSML stays whole."""
    worth = max(LEAST_PART_CHARACTERS, round(PART_WORK_MS * speaking(request.engine).rtfx / MS_PER_CHARACTER))
    return parts_of(request, max_chars=worth)


def cost_ms(engine: str, *, characters: int) -> int:
    """The expected time of an engine for so much text."""
    return max(1, round(characters * MS_PER_CHARACTER / speaking(engine).rtfx))


def spoken(lease: Lease, request: SpeechRequest, text: str, *, on_units: Count | None = None) -> Iterator[bytes]:
    """Samples of a part of the job's text as its engine makes them; raises `SpeakFailed`."""
    return speakers()[request.engine].speak(spoken_part(request, text), on_tick=lease.check, on_units=on_units)


def _speak(lease: Lease, request: SpeechRequest, call: calling.Call, *, path: Path) -> int:
    """Samples of one part into a file; how many there are."""
    with path.open("wb") as file:
        for chunk in spoken(lease, request, _text(lease, request), on_units=call.count):
            file.write(chunk)
    return path.stat().st_size // 2


def _marks(lease: Lease, request: SpeechRequest, call: calling.Call) -> list[tuple[int, int]]:
    """Places and times of the part's words or sentences."""
    speaker, kind = speakers()[request.engine], cast(Timing, request.timings)
    told = speaker.marks(
        spoken_part(request, _text(lease, request)), kind=kind, on_tick=lease.check, on_units=call.count
    )
    return [(mark.start, mark.at_ms) for mark in told]


def _text(lease: Lease, request: SpeechRequest) -> str:
    return request.voiced[lease.start_ms : lease.end_ms]


@contextmanager
def engine_faults() -> Iterator[None]:
    """An engine's failures as the dispatcher's."""
    try:
        yield
    except SpeakFailed as error:
        raise failover.outcome_of(error) from error


def _write_file(lease: Lease, request: SpeechRequest, *, rows: list[Checkpoint], path: Path, voice_hz: int) -> None:
    def samples() -> Iterator[bytes]:
        for chunk in joining.joined([row.body["object_key"] for row in rows], rate_hz=voice_hz):
            lease.check()
            yield chunk

    form = joining.format_of(request)
    try:
        with path.open("wb") as file:
            for chunk in encode(samples(), form=form, rate_in=voice_hz, rate_out=request.sample_rate_hz):
                file.write(chunk)
    except EncodingFailed:
        raise RetryLater("encoder_died", "The encoder stopped. The step is tried again.") from None
    if form == "wav":
        joining.set_wav_length(path)


def _enqueue_parts(
    lease: Lease, job: JobRow, request: SpeechRequest, *, parts: list[tuple[int, cutting.Part]]
) -> list[Lease]:
    items = [
        NewItem(
            step=SPEAK, executor=executor_for(request.engine), ordinal=number, start_ms=part.start, end_ms=part.end,
            cost_ms=cost_ms(request.engine, characters=part.end - part.start),
        )
        for number, part in parts
    ]  # fmt: skip
    if lease.inline and len(items) == 1 and not speaking(request.engine).executor:  # no request waits for a provider
        follower = enqueue_leased(job, items[0], only_if_idle=True)
        if follower is not None:
            return [follower]
    enqueue(job, items)
    wake_on_commit(items[0].executor)
    return []


def _enqueue_merge(job: JobRow) -> list[Lease]:
    item = NewItem(step=MERGE, executor=MEDIA, cost_ms=MERGE_COST_MS)
    follower = enqueue_leased(job, item, only_if_idle=False)
    return [follower] if follower else []

"""How a speech job ends: file, register, money and event in one transaction, or none of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.facade import Cost, InsufficientFunds, MeasuredLine, raise_hold
from dispatch.facade import GiveUp, JobRow, Lease
from dispatch.facade import take_over as take_over_job
from speech import closing, finishing, retention
from speech.audio.encoding import MEDIA_TYPES
from speech.models import SpeechRequest, SpokenAudio
from speech.objects import spoken_key, timings_key
from speech.reuse import IS_FOLLOWED
from speech.synthesis import resources, twins
from speech.synthesis.contracts import KIND, METER
from speech.synthesis.joining import format_of
from speech.synthesis.queries import Found
from speech.synthesis.voices import speaking
from storage.facade import store

# The result's rows in the statement of `finishing`.
_KEPT = """kept AS (INSERT INTO spoken_audio
  (job_id, object_key, content_type, size_bytes, duration_ms, sample_rate_hz, created_at)
  SELECT %(job_id)s, %(audio_key)s, %(audio_type)s, %(audio_bytes)s::bigint, %(audio_ms)s::bigint, %(audio_hz)s::int,
   now() FROM ended WHERE ended.number IS NOT NULL)"""
_REUSED = """,
named AS (UPDATE speech_request SET reused_from = %(reused_from)s FROM ended
  WHERE ended.number IS NOT NULL AND job_id = %(job_id)s)"""


def complete(lease: Lease, job: JobRow, request: SpeechRequest, *, file: Path, duration_ms: int) -> None:
    """The file is made. Fenced: whoever comes second gets `LeaseLost` and changes nothing."""
    audio = audio_row(job, request, token=lease.token, size_bytes=file.stat().st_size, duration_ms=duration_ms)
    store().put_file(audio.object_key, path=file, content_type=audio.content_type, move=True)
    with transaction.atomic():
        ended = closing.completed(job, lease=lease)
        audio.save(force_insert=True)
        cost = closing.bill(
            ended, [_line(request, mode="batch", quantity=request.characters)] * _calls(request), request.tags
        )
        _after_end(ended, request, cost=cost, audio=audio)
        closing.checkpoints_are_joined(job.id)


def complete_at_once(lease: Lease, job: JobRow, request: SpeechRequest, *, audio: SpokenAudio, begun_s: float) -> Found:
    """The same in one statement, of a job without timings and destination that one process did in one go.

    Its file is in the store. With `reused_from` in the request, it is another job's and costs what a cache hit costs.
    `begun_s`: this process's clock at the accept.
    """
    ended = finishing.as_completed(job, begun_s=begun_s)
    parts = _KEPT + (_REUSED if request.reused_from else "")
    parts += retention.CONTENT_GOES if request.delete_after_s is not None else ""
    result = finishing.Result(
        parts,
        {**_kept_values(request, audio), **retention.values(request)},
        told=IS_FOLLOWED if request.reuse else "NULL",
        due=closing.WORK_DUE,
        tags=request.tags,
    )
    finished = finishing.finish(
        lease, ended, result=result,
        line=_line(request, mode="cache" if request.reused_from else "batch", quantity=request.characters),
        shown=lambda cost: resources.speech(ended, request, cost=cost, audio=audio),
    )  # fmt: skip
    if finished.told:  # others wait for it; should this process die here, they look for themselves within a minute
        with transaction.atomic():
            twins.leave(ended, request)
    return Found(ended, request, finished.cost, audio)


def take_over(lease: Lease, job: JobRow, request: SpeechRequest, *, twin: SpokenAudio) -> None:
    """The job is done with another job's file, at the price of a cache hit. Fenced like `complete`."""
    audio = adopted(job, request, twin=twin, token=lease.token)
    with transaction.atomic():
        take_over_job(lease, measured_ms=None, engine=request.engine)
        _hold_for_cache(job.id, request)
        ended = closing.completed(job, lease=None)
        audio.save(force_insert=True)
        request.save(update_fields=["reused_from"])
        cost = closing.bill(ended, [_line(request, mode="cache", quantity=request.characters)], request.tags)
        _after_end(ended, request, cost=cost, audio=audio)


def adopted(job: JobRow, request: SpeechRequest, *, twin: SpokenAudio, token: UUID) -> SpokenAudio:
    """Another job's file as this one's own, in the store; raises `ObjectMissing`."""
    audio = audio_row(job, request, token=token, size_bytes=twin.size_bytes, duration_ms=twin.duration_ms)
    store().copy(twin.object_key, to=audio.object_key)
    if request.timings:
        store().copy(timings_key(twin.object_key), to=timings_key(audio.object_key))
    request.reused_from = twin.job_id
    return audio


def audio_row(job: JobRow, request: SpeechRequest, *, token: UUID, size_bytes: int, duration_ms: int) -> SpokenAudio:
    """The row of a file that is or will be in the store; its key is nobody's but the lease's."""
    form = format_of(request)
    return SpokenAudio(
        job_id=job.id, object_key=spoken_key(job.tenant_id, job.id, token=token, ending=form),
        content_type=MEDIA_TYPES[form], size_bytes=size_bytes, duration_ms=duration_ms,
        sample_rate_hz=request.sample_rate_hz,
    )  # fmt: skip


def _kept_values(request: SpeechRequest, audio: SpokenAudio) -> Mapping[str, Any]:
    return {
        "audio_key": audio.object_key, "audio_type": audio.content_type, "audio_bytes": audio.size_bytes,
        "audio_ms": audio.duration_ms, "audio_hz": audio.sample_rate_hz, "reused_from": request.reused_from,
    }  # fmt: skip


def _hold_for_cache(job_id: UUID, request: SpeechRequest) -> None:
    try:
        raise_hold(job_id, engine=request.engine, meter=METER, quantity=request.characters, mode="cache")
    except InsufficientFunds as error:
        raise GiveUp(error.code, str(error)) from error


def _line(request: SpeechRequest, *, mode: str, quantity: int) -> MeasuredLine:
    return MeasuredLine(engine=request.engine, model="", mode=mode, meter=METER, quantity=quantity)


def _calls(request: SpeechRequest) -> int:
    """How often the text was sent to its provider."""
    return speaking(request.engine).texts_sent(timings=bool(request.timings))


def _after_end(job: JobRow, request: SpeechRequest, *, cost: Cost | None, audio: SpokenAudio) -> None:
    ENDS.after_end(
        job, request, clean_up_at=datetime.now(UTC), shown=resources.speech(job, request, cost=cost, audio=audio)
    )


def _erase(job: JobRow, request: SpeechRequest) -> list[str]:
    SpokenAudio.objects.filter(pk=job.id).delete()
    return []


ENDS = closing.Closing(
    kind=KIND,
    requests=SpeechRequest,
    shown=lambda job, request, cost: resources.speech(job, request, cost=cost, audio=None),
    shown_deleted=resources.deleted,
    # The parts whose audio was sent already.
    keep_what_was_read=lambda job, request: closing.bill(
        job, [_line(request, mode="stream", quantity=job.readable_ms)], request.tags
    ),
    leave=twins.leave,
    erase=_erase,
)

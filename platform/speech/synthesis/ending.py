"""How a speech job ends: file, register, money and event in one transaction, or none of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from django.db import transaction

from billing.facade import Cost, InsufficientFunds, MeasuredLine, raise_hold, release, settle
from dispatch.facade import (
    GiveUp,
    JobRow,
    Lease,
    LeaseLost,
    add_due_date,
    announce_ended,
    bury,
    end,
    mark_deleted,
)
from dispatch.facade import take_over as take_over_job
from events.facade import publish
from observe.facade import failpoint
from speech.audio.encoding import MEDIA_TYPES
from speech.contracts import NotCancelable
from speech.destinations import copies
from speech.ending import KEEP_FAILED_WORK, WORK_DUE
from speech.models import Checkpoint, SpeechRequest, SpokenAudio
from speech.objects import job_prefix, spoken_key, timings_key
from speech.synthesis import resources, twins
from speech.synthesis.contracts import METER
from speech.synthesis.joining import format_of
from speech.synthesis.voices import speaking
from storage.facade import store
from tenants.facade import tenant_context, tenant_ref


def complete(
    lease: Lease, job: JobRow, request: SpeechRequest, *, file: Path, size_bytes: int, duration_ms: int
) -> None:
    """The file is made. Fenced: whoever comes second gets `LeaseLost` and changes nothing."""
    audio = _audio_row(job, request, token=lease.token, size_bytes=size_bytes, duration_ms=duration_ms)
    store().put_file(audio.object_key, path=file, content_type=audio.content_type, move=True)
    with transaction.atomic():
        ended = end(job.id, state="completed", lease=lease)
        if ended is None:
            raise LeaseLost
        audio.save(force_insert=True)
        cost = _bill(ended, request, mode="batch", quantity=request.characters)
        Checkpoint.objects.filter(job_id=job.id).delete()
        _after_end(ended, request, cost=cost, audio=audio, clean_up_at=datetime.now(UTC))
        failpoint("finish.uncommitted")


def take_over(lease: Lease, job: JobRow, request: SpeechRequest, *, twin: SpokenAudio, twin_id: UUID) -> None:
    """The job is done with another job's file, at the price of a cache hit. Fenced like `complete`."""
    audio = _audio_row(job, request, token=lease.token, size_bytes=twin.size_bytes, duration_ms=twin.duration_ms)
    store().copy(twin.object_key, to=audio.object_key)
    if request.timings:
        store().copy(timings_key(twin.object_key), to=timings_key(audio.object_key))
    request.reused_from = twin_id
    with transaction.atomic():
        take_over_job(lease, measured_ms=None, engine=request.engine)
        _hold_for_cache(job.id, request)
        ended = end(job.id, state="completed")
        if ended is None:
            raise LeaseLost
        audio.save(force_insert=True)
        request.save(update_fields=["reused_from"])
        cost = _bill(ended, request, mode="cache", quantity=request.characters)
        _after_end(ended, request, cost=cost, audio=audio, clean_up_at=datetime.now(UTC))


def fail(job_id: UUID, tenant_id: UUID, code: str, detail: str, letter: Lease | None = None) -> None:
    """The job failed: nothing is billed, and the customer is told why. A job that has ended stays as it is."""
    with tenant_context(tenant_ref(tenant_id)), transaction.atomic():
        ended = end(job_id, state="failed", error_code=code)
        if ended is None:
            return
        if letter is not None:
            bury(letter, code=code)
        request = SpeechRequest.objects.get(pk=job_id)
        request.error = {"code": code, "detail": detail}
        request.save(update_fields=["error"])
        release(job_id)
        _after_end(ended, request, cost=None, audio=None, clean_up_at=datetime.now(UTC) + KEEP_FAILED_WORK)


def cancel(job_id: UUID) -> None:
    """Stop now. The parts whose audio was sent already are billed, nothing else."""
    with transaction.atomic():
        ended = end(job_id, state="canceled")
        if ended is None:
            raise NotCancelable("not_cancelable", "The job has ended already. There is nothing to cancel.")
        request = SpeechRequest.objects.get(pk=job_id)
        cost = _bill(ended, request, mode="stream", quantity=ended.readable_ms) if ended.readable_ms else None
        if cost is None:
            release(job_id)
        _after_end(ended, request, cost=cost, audio=None, clean_up_at=datetime.now(UTC))
        Checkpoint.objects.filter(job_id=job_id).delete()  # those that no follower has taken over


def delete(job: JobRow) -> None:
    """Erase text and audio of an ended job; its row in the register and in the ledger stays."""
    with transaction.atomic():
        request = SpeechRequest.objects.get(pk=job.id)
        SpokenAudio.objects.filter(pk=job.id).delete()
        twins.leave(job, request)
        Checkpoint.objects.filter(job_id=job.id).delete()
        request.delete()
        mark_deleted(job.id)
        publish(
            "speech.deleted", tenant_id=job.tenant_id, livemode=job.livemode, subject_id=job.id,
            sequence=job.event_sequence + 1, data=resources.deleted(job.id),
        )  # fmt: skip
    store().delete_prefix(job_prefix(job.tenant_id, job.id))


def _audio_row(job: JobRow, request: SpeechRequest, *, token: UUID, size_bytes: int, duration_ms: int) -> SpokenAudio:
    form = format_of(request)
    return SpokenAudio(
        job_id=job.id, object_key=spoken_key(job.tenant_id, job.id, token=token, ending=form),
        content_type=MEDIA_TYPES[form], size_bytes=size_bytes, duration_ms=duration_ms,
        sample_rate_hz=request.sample_rate_hz,
    )  # fmt: skip


def _hold_for_cache(job_id: UUID, request: SpeechRequest) -> None:
    try:
        raise_hold(job_id, engine=request.engine, meter=METER, quantity=request.characters, mode="cache")
    except InsufficientFunds as error:
        raise GiveUp(error.code, str(error)) from error


def _bill(job: JobRow, request: SpeechRequest, *, mode: str, quantity: int) -> Cost | None:
    """Settle the hold; None for a test key's job, which costs nothing."""
    line = MeasuredLine(engine=request.engine, model="", mode=mode, meter=METER, quantity=quantity)
    calls = speaking(request.engine).texts_sent(timings=bool(request.timings)) if mode == "batch" else 1
    cost = settle(
        job.id, tenant_id=job.tenant_id, livemode=job.livemode, api_key_id=job.api_key_id,
        subject_created_at=job.created_at, lines=[line] * calls, tags=request.tags,
    )  # fmt: skip
    return cost if job.livemode else None


def _after_end(
    job: JobRow, request: SpeechRequest, *, cost: Cost | None, audio: SpokenAudio | None, clean_up_at: datetime
) -> None:
    copies.on_end(job, request)
    publish(
        f"speech.{job.state}", tenant_id=job.tenant_id, livemode=job.livemode, subject_id=job.id,
        sequence=job.event_sequence, data=resources.speech(job, request, cost=cost, audio=audio),
    )  # fmt: skip
    twins.leave(job, request)
    add_due_date(WORK_DUE, tenant_id=job.tenant_id, subject_id=job.id, due_at=clean_up_at)
    announce_ended(job.id)

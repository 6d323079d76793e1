"""How a transcription ends: result, register, money and event in one transaction, or none of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apikit.ids import new_id
from billing.facade import Cost, MeasuredLine, release, settle
from dispatch.facade import JobRow, Lease, LeaseLost, add_due_date, announce_ended, bury, end, mark_deleted
from events.facade import publish
from observe.facade import failpoint
from speech import resources
from speech.contracts import METER, NotCancelable
from speech.models import Checkpoint, StoredTranscript, TranscriptionRequest
from speech.objects import job_prefix, transcript_key, work_prefix
from speech.transcript import Transcript, from_json, merge, to_json
from storage.facade import store
from tenants.facade import tenant_context, tenant_ref

INLINE_BYTES = 65_536  # larger results would bloat the row; they become objects
KEEP_FAILED_WORK = timedelta(days=7)  # so that an operator can replay a dead letter

WORK_DUE = "job_work"


def complete(lease: Lease, job: JobRow, transcript: Transcript) -> None:
    """The job is done. Fenced: whoever comes second gets `LeaseLost` and changes nothing."""
    stored = _stored(transcript, job, token=lease.token)
    with transaction.atomic():
        ended = end(job.id, state="completed", lease=lease)
        if ended is None:
            raise LeaseLost
        stored.save(force_insert=True)
        cost = _bill(ended, quantity=ended.measured_ms or 0)
        Checkpoint.objects.filter(job_id=job.id).delete()
        _after_end(ended, cost=cost, clean_up_at=datetime.now(UTC))
        failpoint("finish.uncommitted")


def fail(job_id: UUID, tenant_id: UUID, code: str, detail: str, letter: Lease | None = None) -> None:
    """The job failed: nothing is billed, and the customer is told why. A job that has ended stays as it is.

    With `letter`, the lease of an item that failed for good, an operator finds it among the dead letters.
    """
    with tenant_context(tenant_ref(tenant_id)), transaction.atomic():
        ended = end(job_id, state="failed", error_code=code)
        if ended is None:
            return
        if letter is not None:
            bury(letter, code=code)
        TranscriptionRequest.objects.filter(pk=job_id).update(error={"code": code, "detail": detail})
        release(job_id)
        _after_end(ended, cost=None, clean_up_at=datetime.now(UTC) + KEEP_FAILED_WORK)


def cancel(job_id: UUID) -> None:
    """Stop now; work under way notices and stops. What had been read as text stays readable and is billed."""
    with transaction.atomic():
        ended = end(job_id, state="canceled")
        if ended is None:
            raise NotCancelable("not_cancelable", "The job has ended already. There is nothing to cancel.")
        cost = _keep_what_was_read(ended) if ended.readable_ms else None
        if cost is None:
            release(job_id)
        Checkpoint.objects.filter(job_id=job_id).delete()
        _after_end(ended, cost=cost, clean_up_at=datetime.now(UTC))


def delete(job: JobRow) -> None:
    """Erase the content of an ended job; its row in the register and in the ledger stays."""
    incoming = TranscriptionRequest.objects.filter(pk=job.id).values_list("object_key", flat=True).first()
    with transaction.atomic():
        StoredTranscript.objects.filter(pk=job.id).delete()
        Checkpoint.objects.filter(job_id=job.id).delete()
        TranscriptionRequest.objects.filter(pk=job.id).delete()
        mark_deleted(job.id)
        publish(
            "transcription.deleted", tenant_id=job.tenant_id, livemode=job.livemode, subject_id=job.id,
            sequence=job.event_sequence + 1, data=resources.deleted(job.id),
        )  # fmt: skip
    # After the commit: were the process to die here, the due date of the prefix would still remove the objects.
    store().delete_prefix(job_prefix(job.tenant_id, job.id))
    if incoming:  # not fetched yet, or canceled before that
        store().delete(incoming)


def remove_work(tenant_id: UUID, job_id: UUID) -> None:
    """The decoded audio is not needed any more (a due date's handler)."""
    store().delete_prefix(work_prefix(tenant_id, job_id))


def _after_end(job: JobRow, *, cost: Cost | None, clean_up_at: datetime) -> None:
    request = TranscriptionRequest.objects.get(pk=job.id)
    publish(
        f"transcription.{job.state}", tenant_id=job.tenant_id, livemode=job.livemode, subject_id=job.id,
        sequence=job.event_sequence, data=resources.transcription(job, request, cost=cost),
    )  # fmt: skip
    add_due_date(WORK_DUE, tenant_id=job.tenant_id, subject_id=job.id, due_at=clean_up_at)
    announce_ended(job.id)


def _keep_what_was_read(job: JobRow) -> Cost | None:
    """The text that had become readable before the cancel, as the job's transcript, and its price."""
    transcript = merge([(row.start_ms, from_json(row.body)) for row in read_checkpoints(job)])
    _stored(transcript, job, token=new_id()).save(force_insert=True)
    return _bill(job, quantity=job.readable_ms)


def read_checkpoints(job: JobRow) -> list[Checkpoint]:
    """The segments of a running job whose text was handed out."""
    request = TranscriptionRequest.objects.get(pk=job.id)
    until_ms = request.media["start_ms"] + job.readable_ms
    return list(Checkpoint.objects.filter(job_id=job.id, end_ms__lte=until_ms).order_by("ordinal"))


def _bill(job: JobRow, *, quantity: int) -> Cost | None:
    """Settle the hold; None for a test key's job, which costs nothing."""
    channels = TranscriptionRequest.objects.values_list("media__heard_channels", flat=True).get(pk=job.id)
    line = MeasuredLine(
        engine=job.engine or "", model="", mode="batch", meter=METER, quantity=quantity, channels=channels
    )
    cost = settle(
        job.id, tenant_id=job.tenant_id, livemode=job.livemode, api_key_id=job.api_key_id,
        subject_created_at=job.created_at, lines=[line],
    )  # fmt: skip
    return cost if job.livemode else None


def _stored(transcript: Transcript, job: JobRow, *, token: UUID) -> StoredTranscript:
    """The row of the result; a long one is put into the store first, under a key that no other writer has."""
    body: dict[str, Any] = to_json(transcript)
    row = StoredTranscript(job_id=job.id, language=transcript.language or "")
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    if len(encoded) <= INLINE_BYTES:
        row.body = body
    else:
        row.object_key = transcript_key(job.tenant_id, job.id, token)
        store().put_bytes(row.object_key, data=encoded, content_type="application/json")
    return row

"""How a transcription ends: result, register, money and event in one transaction, or none of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apikit.ids import new_id
from billing.facade import Cost, InsufficientFunds, raise_hold, release, settle
from dispatch.facade import GiveUp, JobRow, Lease, LeaseLost, add_due_date, announce_ended, bury, end, mark_deleted
from dispatch.facade import take_over as take_over_job
from events.facade import publish
from observe.facade import failpoint
from speech import resources, tags, twins
from speech.booking import HeardSpan, bill_lines, heard_spans
from speech.contracts import METER, NotCancelable, Twin
from speech.destinations import copies
from speech.models import Checkpoint, StoredTranscript, TranscriptionRequest
from speech.objects import job_prefix, transcript_key, work_prefix
from speech.transcript import Transcript, from_json, merge, to_json
from storage.facade import store
from tenants.facade import tenant_context, tenant_ref
from webhooks.facade import forget_text, keep_text

INLINE_BYTES = 65_536  # larger results would bloat the row; they become objects
KEEP_FAILED_WORK = timedelta(days=7)  # so that an operator can replay a dead letter

WORK_DUE = "job_work"


def complete(lease: Lease, job: JobRow, request: TranscriptionRequest, transcript: Transcript) -> None:
    """The job is done. Fenced: whoever comes second gets `LeaseLost` and changes nothing."""
    stored = _stored(transcript, job, token=lease.token)
    with transaction.atomic():
        ended = end(job.id, state="completed", lease=lease)
        if ended is None:
            raise LeaseLost
        stored.save(force_insert=True)
        _note_language(request, transcript)
        cost = _bill(ended, request, quantity=ended.measured_ms or 0, spans=_spans(job.id))
        Checkpoint.objects.filter(job_id=job.id).delete()
        _after_end(ended, request, cost=cost, text=transcript.text, clean_up_at=datetime.now(UTC))
        failpoint("finish.uncommitted")


def take_over(lease: Lease, job: JobRow, request: TranscriptionRequest, *, twin: Twin) -> None:
    """The job is done with another job's result, at the price of a cache hit. Fenced like `complete`."""
    stored = _stored(twin.transcript, job, token=lease.token)
    _adopt(request, twin)
    with transaction.atomic():
        take_over_job(lease, measured_ms=twin.job.measured_ms or 0, engine=twin.job.engine or "")
        _hold_for_cache(job.id, request, twin=twin)
        ended = end(job.id, state="completed")
        if ended is None:
            raise LeaseLost
        stored.save(force_insert=True)
        request.save(update_fields=["media", "routing", "warnings", "language", "reused_from"])
        cost = _bill(ended, request, quantity=ended.measured_ms or 0, mode="cache")
        _after_end(ended, request, cost=cost, text=twin.transcript.text, clean_up_at=datetime.now(UTC))
        failpoint("takeover.uncommitted")


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
        request = TranscriptionRequest.objects.get(pk=job_id)
        request.error = {"code": code, "detail": detail}
        request.save(update_fields=["error"])
        release(job_id)
        _after_end(ended, request, cost=None, clean_up_at=datetime.now(UTC) + KEEP_FAILED_WORK)


def cancel(job_id: UUID) -> None:
    """Stop now; work under way notices and stops. What had been read as text stays readable and is billed."""
    with transaction.atomic():
        ended = end(job_id, state="canceled")
        if ended is None:
            raise NotCancelable("not_cancelable", "The job has ended already. There is nothing to cancel.")
        request = TranscriptionRequest.objects.get(pk=job_id)
        cost = _keep_what_was_read(ended, request) if ended.readable_ms else None
        if cost is None:
            release(job_id)
        _after_end(ended, request, cost=cost, clean_up_at=datetime.now(UTC))
        Checkpoint.objects.filter(job_id=job_id).delete()  # those that no follower has taken over


def delete(job: JobRow) -> None:
    """Erase the content of an ended job; its row in the register and in the ledger stays."""
    incoming = TranscriptionRequest.objects.filter(pk=job.id).values_list("object_key", flat=True).first()
    with transaction.atomic():
        request = TranscriptionRequest.objects.get(pk=job.id)
        StoredTranscript.objects.filter(pk=job.id).delete()
        twins.leave(job, request)
        Checkpoint.objects.filter(job_id=job.id).delete()
        tags.remove(job.id)
        forget_text(job.id)
        request.delete()
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


def _after_end(
    job: JobRow, request: TranscriptionRequest, *, cost: Cost | None, clean_up_at: datetime, text: str | None = None
) -> None:
    copies.on_end(job, request)
    event_id = publish(
        f"transcription.{job.state}", tenant_id=job.tenant_id, livemode=job.livemode, subject_id=job.id,
        sequence=job.event_sequence, data=resources.transcription(job, request, cost=cost),
    )  # fmt: skip
    if text is not None:
        keep_text(event_id, tenant_id=job.tenant_id, subject_id=job.id, text=text)
    twins.leave(job, request)
    add_due_date(WORK_DUE, tenant_id=job.tenant_id, subject_id=job.id, due_at=clean_up_at)
    announce_ended(job.id)


def _note_language(request: TranscriptionRequest, transcript: Transcript) -> None:
    """The language that was found out is the job's language from now on, in lists and events too."""
    if transcript.language and transcript.language != request.language:
        request.language = transcript.language
        request.save(update_fields=["language"])


def _adopt(request: TranscriptionRequest, twin: Twin) -> None:
    request.media, request.warnings = twin.request.media, twin.request.warnings
    request.routing, request.language = twin.request.routing, twin.request.language
    request.reused_from = twin.job.id


def _hold_for_cache(job_id: UUID, request: TranscriptionRequest, *, twin: Twin) -> None:
    channels, quantity = request.media.get("heard_channels", 1), twin.job.measured_ms or 0
    try:
        raise_hold(
            job_id, engine=twin.job.engine or "", meter=METER, quantity=quantity, channels=channels, mode="cache"
        )
    except InsufficientFunds as error:
        raise GiveUp(error.code, str(error)) from error


def _keep_what_was_read(job: JobRow, request: TranscriptionRequest) -> Cost | None:
    """The text that had become readable before the cancel, as the job's transcript, and its price."""
    until_ms = request.media["start_ms"] + job.readable_ms
    rows = list(Checkpoint.objects.filter(job_id=job.id, end_ms__lte=until_ms).order_by("start_ms", "ordinal"))
    transcript = merge([(row.start_ms, from_json(row.body)) for row in rows])
    _stored(transcript, job, token=new_id()).save(force_insert=True)
    return _bill(job, request, quantity=job.readable_ms, spans=heard_spans(rows))


def _spans(job_id: UUID) -> list[HeardSpan]:
    return heard_spans(Checkpoint.objects.filter(job_id=job_id).only("start_ms", "end_ms", "engine"))


def _bill(
    job: JobRow,
    request: TranscriptionRequest,
    *,
    quantity: int,
    spans: Sequence[HeardSpan] = (),
    mode: str = "batch",
) -> Cost | None:
    """Settle the hold, a line for each engine that heard a part; None for a test key's job, which costs nothing."""
    lines = bill_lines(
        spans, engine=job.engine or "", quantity=quantity, channels=request.media.get("heard_channels", 1), mode=mode
    )
    cost = settle(
        job.id, tenant_id=job.tenant_id, livemode=job.livemode, api_key_id=job.api_key_id,
        subject_created_at=job.created_at, lines=lines, tags=request.tags,
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

"""How a transcription ends: result, register, money and event in one transaction, or none of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apikit.ids import new_id
from billing.facade import Cost, InsufficientFunds, MeasuredLine, raise_hold
from dispatch.facade import GiveUp, JobRow, Lease
from dispatch.facade import take_over as take_over_job
from observe.facade import failpoint
from speech import closing, finishing, resources, retention, tags, twins
from speech.booking import HeardSpan, bill_lines, heard_spans
from speech.contracts import KIND, METER, Twin
from speech.fetching import SOURCE_DUE
from speech.models import Checkpoint, StoredTranscript, TranscriptionRequest
from speech.objects import transcript_key, work_prefix
from speech.queries import Found
from speech.transcript import Transcript, from_json, merge, to_json
from storage.facade import store
from webhooks.facade import forget_text, keep_text

INLINE_BYTES = 65_536  # larger results would bloat the row; they become objects

# The result's rows in the statement of `finishing`. All of the text fits into its row: a short file's does.
_KEPT = """kept AS (INSERT INTO transcript (job_id, language, body, object_key, created_at)
  SELECT %(job_id)s, %(spoken)s, %(transcript)s::jsonb, '', now() FROM ended WHERE ended.number IS NOT NULL),
named AS (UPDATE transcription_request SET language = %(spoken)s FROM ended
  WHERE ended.number IS NOT NULL AND job_id = %(job_id)s AND language <> %(spoken)s AND %(spoken)s <> '')"""
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def complete(lease: Lease, job: JobRow, request: TranscriptionRequest, transcript: Transcript) -> None:
    """The job is done. Fenced: whoever comes second gets `LeaseLost` and changes nothing."""
    stored = _stored(transcript, job, token=lease.token)
    with transaction.atomic():
        ended = closing.completed(job, lease=lease)
        stored.save(force_insert=True)
        _note_language(request, transcript)
        lines = _lines(ended, request, quantity=ended.measured_ms or 0, spans=_spans(job.id))
        cost = closing.bill(ended, lines, request.tags)
        _tell(ended, request, cost=cost, text=transcript.text)
        closing.checkpoints_are_joined(job.id)


def complete_at_once(
    lease: Lease, job: JobRow, request: TranscriptionRequest, transcript: Transcript, *, begun_s: float
) -> Found:
    """The same in one statement, of a short job that one process did in one go; `begun_s`: its clock at the accept."""
    ended = finishing.as_completed(job, begun_s=begun_s)
    request.language = transcript.language or request.language
    result = finishing.Result(
        _KEPT + (retention.CONTENT_GOES if request.delete_after_s is not None else ""),
        {"spoken": transcript.language or "", "transcript": _encode(to_json(transcript)), **retention.values(request)},
        due=SOURCE_DUE,
        tags=request.tags,
    )
    [line] = _lines(ended, request, quantity=ended.measured_ms or 0)
    cost = finishing.finish(
        lease, ended, result=result, line=line,
        shown=lambda cost: resources.transcription(ended, request, cost=cost),
    ).cost  # fmt: skip
    return Found(ended, request, cost, transcript)


def take_over(lease: Lease, job: JobRow, request: TranscriptionRequest, *, twin: Twin) -> None:
    """The job is done with another job's result, at the price of a cache hit. Fenced like `complete`."""
    stored = _stored(twin.transcript, job, token=lease.token)
    _adopt(request, twin)
    with transaction.atomic():
        take_over_job(lease, measured_ms=twin.job.measured_ms or 0, engine=twin.job.engine or "")
        _hold_for_cache(job.id, request, twin=twin)
        ended = closing.completed(job, lease=None)
        stored.save(force_insert=True)
        request.save(update_fields=["media", "routing", "warnings", "language", "reused_from"])
        cost = closing.bill(ended, _lines(ended, request, quantity=ended.measured_ms or 0, mode="cache"), request.tags)
        _tell(ended, request, cost=cost, text=twin.transcript.text)
        failpoint("takeover.uncommitted")


def remove_work(tenant_id: UUID, job_id: UUID) -> None:
    """The decoded audio is not needed any more (a due date's handler)."""
    store().delete_prefix(work_prefix(tenant_id, job_id))


def _tell(job: JobRow, request: TranscriptionRequest, *, cost: Cost | None, text: str) -> None:
    shown = resources.transcription(job, request, cost=cost)
    event_id = ENDS.after_end(job, request, shown=shown, clean_up_at=datetime.now(UTC))
    once = request.delete_after_s == retention.ZERO
    keep_text(event_id, tenant_id=job.tenant_id, subject_id=job.id, text=text, until_delivered=once)


def _erase(job: JobRow, request: TranscriptionRequest) -> list[str]:
    StoredTranscript.objects.filter(pk=job.id).delete()
    tags.remove(job.id)
    forget_text(job.id)
    return [request.object_key] if request.object_key else []  # not fetched yet, or canceled before that


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
    return closing.bill(job, _lines(job, request, quantity=job.readable_ms, spans=heard_spans(rows)), request.tags)


def _spans(job_id: UUID) -> list[HeardSpan]:
    return heard_spans(Checkpoint.objects.filter(job_id=job_id).only("start_ms", "end_ms", "engine"))


def _lines(
    job: JobRow, request: TranscriptionRequest, *, quantity: int, spans: Sequence[HeardSpan] = (), mode: str = "batch"
) -> list[MeasuredLine]:
    """A line for each engine that heard a part."""
    channels = request.media.get("heard_channels", 1)
    own = request.routing.get("own", [])
    return bill_lines(spans, engine=job.engine or "", quantity=quantity, channels=channels, mode=mode, own=own)


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


ENDS = closing.Closing(
    kind=KIND,
    requests=TranscriptionRequest,
    shown=lambda job, request, cost: resources.transcription(job, request, cost=cost),
    shown_deleted=resources.deleted,
    keep_what_was_read=_keep_what_was_read,
    leave=twins.leave,
    erase=_erase,
)

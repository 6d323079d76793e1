"""Reads. Only in the tenant's own context, so another tenant's rows cannot be found at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from billing.facade import Cost, costs_of
from dispatch.facade import JobFilter, JobRow, Place, get_job, list_jobs, place_of
from speech.contracts import KIND
from speech.models import StoredTranscript, TranscriptionRequest, Upload
from speech.transcript import Transcript, from_json
from storage.facade import store
from tenants.facade import Caller

EVERYTHING = JobFilter()


@dataclass(frozen=True, slots=True)
class Found:
    """A transcription as stored; the transcript only when it is finished and was asked for."""

    job: JobRow
    request: TranscriptionRequest
    cost: Cost | None
    transcript: Transcript | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Transcriptions, newest first; more may stand before the id `next_before`, None at the end."""

    rows: list[Found]
    next_before: UUID | None


def find_transcription(caller: Caller, job_id: UUID, *, with_text: bool = True) -> Found | None:
    """The caller's transcription of the key's own mode, or None."""
    job = get_job(job_id)
    if job is None or job.kind != KIND or job.livemode != caller.livemode or job.tenant_id != caller.tenant_id:
        return None
    request = TranscriptionRequest.objects.filter(pk=job_id).first()
    if request is None:
        return None
    has_text = job.state == "completed" or (job.state == "canceled" and job.readable_ms > 0)
    return Found(
        job=job,
        request=request,
        cost=costs_of([(job.id, job.created_at)]).get(job.id) if has_text else None,
        transcript=read_transcript(job_id) if has_text and with_text else None,
        place=place_of(job_id) if job.state in {"queued", "running"} else None,
    )


def list_transcriptions(
    caller: Caller, *, limit: int, wanted: JobFilter = EVERYTHING, before: UUID | None = None
) -> FoundPage:
    """Up to `limit` transcriptions, newest first, without text; three queries whatever their number and the filter."""
    page = list_jobs(
        tenant_id=caller.tenant_id, livemode=caller.livemode, kind=KIND, limit=limit, wanted=wanted, before=before
    )
    requests = TranscriptionRequest.objects.in_bulk([job.id for job in page.jobs])
    costs = costs_of([(job.id, job.created_at) for job in page.jobs if job.state in {"completed", "canceled"}])
    rows = [Found(job, requests[job.id], costs.get(job.id)) for job in page.jobs if job.id in requests]
    return FoundPage(rows, page.next_before)


def read_transcript(job_id: UUID) -> Transcript | None:
    """The canonical transcript, from its row or its object."""
    row = StoredTranscript.objects.filter(pk=job_id).first()
    if row is None:
        return None
    body = row.body if row.body is not None else json.loads(store().read_bytes(row.object_key))
    return from_json(body)


def find_upload(caller: Caller, upload_id: UUID) -> Upload | None:
    """The caller's upload of the key's own mode, or None."""
    return Upload.objects.filter(pk=upload_id, livemode=caller.livemode).first()

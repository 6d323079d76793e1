"""Reads of speech jobs, in the tenant's own context."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billing.facade import Cost, costs_of
from dispatch.facade import JobFilter, JobRow, get_job, list_jobs
from speech.models import SpeechRequest, SpokenAudio
from speech.synthesis.contracts import KIND
from tenants.facade import Caller


@dataclass(frozen=True, slots=True)
class Found:
    """A speech job as stored; the file once it is completed."""

    job: JobRow
    request: SpeechRequest
    cost: Cost | None
    audio: SpokenAudio | None


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Speech jobs, newest first; more may stand before the id `next_before`."""

    rows: list[Found]
    next_before: UUID | None


def find_speech(caller: Caller, job_id: UUID) -> Found | None:
    """The caller's speech job of the key's own mode, or None."""
    job = get_job(job_id)
    if job is None or job.kind != KIND or job.livemode != caller.livemode or job.tenant_id != caller.tenant_id:
        return None
    request = SpeechRequest.objects.filter(pk=job_id).first()
    if request is None:
        return None
    audio = SpokenAudio.objects.filter(pk=job_id).first() if job.state == "completed" else None
    return Found(job, request, costs_of([(job.id, job.created_at)]).get(job.id), audio)


def list_speech(caller: Caller, *, limit: int, before: UUID | None, state: str | None) -> FoundPage:
    """Up to `limit` jobs, newest first; four queries whatever their number."""
    page = list_jobs(
        tenant_id=caller.tenant_id, livemode=caller.livemode, kind=KIND, limit=limit, wanted=JobFilter(state=state),
        before=before,
    )  # fmt: skip
    ids = [job.id for job in page.jobs]
    requests, files = SpeechRequest.objects.in_bulk(ids), SpokenAudio.objects.in_bulk(ids)
    costs = costs_of([(job.id, job.created_at) for job in page.jobs if job.state == "completed"])
    rows = [
        Found(job, requests[job.id], costs.get(job.id), files.get(job.id)) for job in page.jobs if job.id in requests
    ]
    return FoundPage(rows, page.next_before)

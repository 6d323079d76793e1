"""The first thing a job does: see whether the same was heard before, or is being heard now."""

from __future__ import annotations

import hashlib
from pathlib import Path
from uuid import UUID

from dispatch.facade import JobRow, Lease, get_job
from observe.facade import get_logger
from speech import ending, reuse, twins
from speech.contracts import Twin
from speech.models import TranscriptionRequest
from speech.queries import read_transcript
from storage.facade import ObjectMissing, store

log = get_logger(__name__)


def answered(lease: Lease, job: JobRow, request: TranscriptionRequest) -> bool:
    """Whether another job's result is the answer, now or as soon as it is there: then nothing is left to do here."""
    mark = twins.mark_of(request)
    if mark is None:
        return False
    while True:
        place, leader_id = reuse.find_place(lease, job, mark, finished=twins.has_transcript)
        if place != "takes_over":
            return place == "follows"
        twin = _twin(leader_id)
        if twin is not None:
            break  # otherwise it was deleted a moment ago: look again
    ending.take_over(lease, job, request, twin=twin)
    log.info("result_reused", job_id=str(job.id), reused_from=str(leader_id))
    if request.object_key:
        store().delete(request.object_key)
    return True


def answered_once_known(lease: Lease, job: JobRow, request: TranscriptionRequest, *, source: Path) -> bool:
    """The same, for a recording whose hash is known only now that it was fetched."""
    if not request.reuse or request.sha256:
        return False
    request.sha256 = _sha256(source)
    request.save(update_fields=["sha256"])
    return answered(lease, job, request)


def _twin(job_id: UUID) -> Twin | None:
    """The finished job as a whole; None while it runs, or when it was deleted a moment ago."""
    job, request = get_job(job_id), TranscriptionRequest.objects.filter(pk=job_id).first()
    if job is None or request is None or job.state != "completed":
        return None
    try:
        transcript = read_transcript(job_id)
    except ObjectMissing:
        return None
    return Twin(job, request, transcript) if transcript is not None else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

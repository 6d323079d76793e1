"""Which transcriptions are the same, for `reuse`."""

from __future__ import annotations

from uuid import UUID

from dispatch.facade import JobRow
from speech import reuse
from speech.contracts import KIND
from speech.models import StoredTranscript, TranscriptionRequest


def mark_of(request: TranscriptionRequest) -> reuse.Mark | None:
    """The recording's bytes, the engine asked for, and every option; None for a job that may not share (yet)."""
    if not request.reuse or not request.sha256:
        return None
    asked = {"sha256": request.sha256, "engine": request.engine, "options": request.options}
    return reuse.Mark.of(KIND, livemode=request.livemode, asked=asked)


def has_transcript(job_id: UUID) -> bool:
    """Whether the job's result is there."""
    return StoredTranscript.objects.filter(pk=job_id).exists()


def is_answered(request: TranscriptionRequest) -> bool:
    """Whether the same was heard before: then there is nothing to wait for."""
    mark = mark_of(request)
    return mark is not None and reuse.finished_twin(mark, finished=has_transcript) is not None


def leave(job: JobRow, request: TranscriptionRequest) -> None:
    """The job has ended or is deleted: those that followed it go on."""
    mark = mark_of(request)
    if mark is not None:
        reuse.leave(job, mark, finished=has_transcript)

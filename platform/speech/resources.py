"""How a transcription looks from outside: the resource of GET, and of events without its text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from apikit import ids
from billing.facade import Cost, shown_amount
from dispatch.facade import JobRow, Place
from speech import pools, retention
from speech.captions.render import as_value
from speech.models import TranscriptionRequest
from speech.raw_answers import RawAnswer
from speech.transcript import Transcript
from speech.upload_states import PartState, UploadState
from storage.facade import SignedRequest, store

URL_LIFE_S = 3600


def transcription(
    job: JobRow,
    request: TranscriptionRequest,
    *,
    cost: Cost | None,
    transcript: Transcript | None = None,
    place: Place | None = None,
) -> dict[str, Any]:
    """The resource; `text`, `words` and `segments` are there only when the transcript is given."""
    shown: dict[str, Any] = {
        "id": ids.show(ids.TRANSCRIPTION, job.id),
        "object": "transcription",
        "livemode": job.livemode,
        "status": job.state,
        "created": stamp(job.created_at),
        "started_at": stamp(job.started_at),
        "finished_at": stamp(job.finished_at),
        "delete_after_s": request.delete_after_s,
        "delete_at": stamp(retention.goes_at(job, request)),
        "engine": job.engine,
        "quality": pools.quality_of(job.engine) if job.engine else None,
        "model": request.options.get("model"),
        "task": request.options.get("task", "transcribe"),
        "language": request.language or None,
        "duration_ms": job.measured_ms,
        "progress": progress(job, channels=request.media.get("heard_channels", 1)),
        "queue": queue(place),
        "reused_from": ids.show(ids.TRANSCRIPTION, request.reused_from) if request.reused_from else None,
        "destination": request.destination,
        "url": f"{settings.PUBLIC_URL}/v1/transcriptions/{ids.show(ids.TRANSCRIPTION, job.id)}",
        "cost": {"amount": shown_amount(cost.amount), "currency": cost.currency} if cost else None,
        "filename": request.filename or None,
        "metadata": request.metadata,
        "tags": request.tags,
        "routing": routing_shown(request),
        "warnings": request.warnings,
        "error": request.error,
    }
    if transcript is not None:
        shown |= as_value(transcript) | {"duration_ms": job.measured_ms}
        if request.options.get("word_timestamps") is False:
            del shown["words"]
    return shown


def routing_shown(request: TranscriptionRequest) -> dict[str, Any] | None:
    """The choice with its reasons and the policy behind it; None before the choice was made."""
    return request.routing if "engine" in request.routing else None


def progress(job: JobRow, *, channels: int) -> dict[str, int]:
    """How much audio has been heard, in milliseconds and percent; channels heard apart count together."""
    total = job.measured_ms or 0
    done = total if job.state == "completed" else min(job.done_ms // channels, total)
    return {"done_ms": done, "total_ms": total, "percent": done * 100 // total if total else 0}


def queue(place: Place | None) -> dict[str, Any] | None:
    """Where a waiting job stands, None when nothing of it waits or nobody looked."""
    return {"position": place.position, "estimated_start_at": stamp(place.estimated_start_at)} if place else None


def deleted(job_id: UUID) -> dict[str, Any]:
    """What is left to say of a deleted transcription."""
    shown = ids.show(ids.TRANSCRIPTION, job_id)
    url = f"{settings.PUBLIC_URL}/v1/transcriptions/{shown}"
    return {"id": shown, "object": "transcription", "url": url, "deleted": True}


def upload(state: UploadState) -> dict[str, Any]:
    """An upload; requests to send it with are shown to whoever creates or resumes it, and in no event."""
    row = state.row
    shown: dict[str, Any] = {
        "id": ids.show(ids.UPLOAD, row.id),
        "object": "upload",
        "livemode": row.livemode,
        "status": state.status,
        "filename": row.filename,
        "content_type": row.content_type,
        "size_bytes": row.size_bytes,
        "created": stamp(row.created_at),
        "expires_at": stamp(row.expires_at),
    }
    if state.ticket is not None:
        shown["upload"] = _signed(state.ticket)
    if state.parts is not None:
        shown["parts"] = [_part(part) for part in state.parts]
    return shown


def _part(part: PartState) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "number": part.number, "start": part.start, "size_bytes": part.size_bytes,
        "status": "completed" if part.has_arrived else "pending",
    }  # fmt: skip
    return shown | ({"upload": _signed(part.ticket)} if part.ticket is not None else {})


def _signed(ticket: SignedRequest) -> dict[str, Any]:
    return {"url": ticket.url, "method": ticket.method, "headers": ticket.headers}


def raw_answer(answer: RawAnswer) -> dict[str, Any]:
    """A provider's own answer, as a link to it."""
    return {
        "object": "raw_answer",
        "start_ms": answer.start_ms,
        "end_ms": answer.end_ms,
        "engine": answer.engine,
        "size_bytes": answer.size_bytes,
        **download(answer.object_key),
    }


def download(object_key: str, *, expires_s: int = URL_LIFE_S) -> dict[str, str]:
    """A fresh URL to download an object without a key, and until when it works."""
    ends_at = datetime.now(UTC) + timedelta(seconds=expires_s)
    url = store().presign_get(object_key, expires_s=expires_s).url
    return {"download_url": url, "download_url_expires_at": stamp(ends_at) or ""}


def stamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None

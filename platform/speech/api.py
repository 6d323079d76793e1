"""Routes of uploads and transcriptions: parse, authorise, call, answer."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from apikit import ids
from apikit.facade import MAX_LIMIT, ProblemOut, decode_cursor, not_found, page
from speech import ending, inline, intake, queries, resources, services
from speech.captions.render import CaptionFormat, render
from speech.schemas import (
    DeletedOut,
    JsonTranscriptionIn,
    TranscriptionListOut,
    TranscriptionOut,
    TranscriptOut,
    UploadIn,
    UploadOut,
)
from tenants.facade import ApiKeyAuth, Caller, caller_with

READ, WRITE = "transcriptions:read", "transcriptions:write"
WAIT_HEADER = "X-Parlance-Wait"  # for the front layer only, which takes it off: this job has not ended yet
MEDIA_TYPES = {"text": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt", "json": "application/json"}

uploads = Router(auth=ApiKeyAuth(), tags=["uploads"])
transcriptions = Router(auth=ApiKeyAuth(), tags=["transcriptions"])

_MULTIPART = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": JsonTranscriptionIn.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "The recording."},
                        **{name: {"type": "string"} for name in ("engine", "language", "metadata", "tags", "simulate")},
                    },
                }
            },
        },
    }
}
_TEXT_FORMS = {
    "responses": {
        200: {"content": {MEDIA_TYPES[form]: {"schema": {"type": "string"}} for form in ("text", "srt", "vtt")}}
    }
}


@uploads.post("", response={201: UploadOut}, summary="Create an upload")
def create_upload(request: HttpRequest, body: UploadIn) -> HttpResponse:
    """A ticket to PUT one file, without a key: from a browser, a phone or a server."""
    caller = caller_with(request, WRITE)
    row, ticket = services.create_upload(
        caller, filename=body.filename, content_type=body.content_type, size_bytes=body.size_bytes,
        sha256=body.sha256 or "",
    )  # fmt: skip
    location = f"/v1/uploads/{ids.show(ids.UPLOAD, row.id)}"
    return _json(resources.upload(row, ticket=ticket, status="pending"), status=201, headers={"Location": location})


@uploads.get("/{upload_id}", response={200: UploadOut}, summary="Get an upload")
def get_upload(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Whether the file has arrived."""
    caller = caller_with(request, READ)
    parsed = ids.parse(ids.UPLOAD, upload_id)
    row = queries.find_upload(caller, parsed) if parsed else None
    if row is None:
        raise not_found("upload")
    return _json(resources.upload(row, ticket=None, status=queries.upload_status(row)))


@transcriptions.post(
    "",
    response={200: TranscriptionOut, 202: TranscriptionOut, 402: ProblemOut, 404: ProblemOut, 409: ProblemOut},
    summary="Transcribe a recording",
    openapi_extra=_MULTIPART,
)
def create_transcription(request: HttpRequest) -> HttpResponse:
    """Accepted as a job; `Prefer: wait=30` answers with the result when it is there in time."""
    caller = caller_with(request, WRITE)
    order = intake.order_of(request)
    accepted = services.accept(caller, order, idempotency_key=intake.idempotency_key(request))
    if accepted.lease is not None:
        inline.run(accepted.lease)
    found = _accepted(caller, accepted)
    headers = {"Location": f"/v1/transcriptions/{ids.show(ids.TRANSCRIPTION, accepted.job_id)}", "Retry-After": "1"}
    if accepted.replayed:
        headers["Idempotency-Replayed"] = "true"
    done = accepted.lease is not None and not _wait(found)  # the inline lane has brought it to its end already
    return _json(_shown(found), status=200 if done else 202, headers=headers | _wait(found))


@transcriptions.get("", response={200: TranscriptionListOut}, summary="List transcriptions")
def list_transcriptions(
    request: HttpRequest,
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 20,
    cursor: str | None = None,
    status: Literal["queued", "running", "completed", "failed", "canceled"] | None = None,
) -> HttpResponse:
    """Newest first, without their texts."""
    caller = caller_with(request, READ)
    after = decode_cursor(cursor) if cursor else None
    rows = queries.list_transcriptions(caller, limit=limit + 1, after=after, state=status)
    return _json(page(rows, limit=limit, id_of=lambda found: found.job.id, shown=_shown))


@transcriptions.get("/{transcription_id}", response={200: TranscriptionOut}, summary="Get a transcription")
def get_transcription(request: HttpRequest, transcription_id: str) -> HttpResponse:
    """The job and, once completed, its text; `Prefer: wait=30` waits for the end."""
    found = _find(caller_with(request, READ), _job_id(transcription_id))
    return _json(_shown(found), headers=_wait(found))


@transcriptions.get(
    "/{transcription_id}/transcript",
    response={200: TranscriptOut, 409: ProblemOut},
    summary="Get text, captions or words",
    openapi_extra=_TEXT_FORMS,
)
def get_transcript(
    request: HttpRequest,
    transcription_id: str,
    format: CaptionFormat = "json",  # noqa: A002  # the API's own word
    max_line_chars: Annotated[int, Field(ge=8, le=200)] | None = None,
    max_lines: Annotated[int, Field(ge=1, le=4)] = 2,
) -> HttpResponse:
    """The transcript as json, text, srt or vtt."""
    found = _find(caller_with(request, READ), _job_id(transcription_id))
    if found.transcript is None:
        raise intake.not_ready(found.job.state)
    body = render(found.transcript, format=format, max_line_chars=max_line_chars, max_lines=max_lines)
    return HttpResponse(body.encode(), content_type=f"{MEDIA_TYPES[format]}; charset=utf-8")


@transcriptions.post("/{transcription_id}/cancel", response={200: TranscriptionOut}, summary="Cancel a transcription")
def cancel_transcription(request: HttpRequest, transcription_id: str) -> HttpResponse:
    """Stop at once. What had not become readable is not billed."""
    caller, job_id = caller_with(request, WRITE), _job_id(transcription_id)
    _find(caller, job_id)
    ending.cancel(job_id)
    return _json(_shown(_find(caller, job_id)))


@transcriptions.delete("/{transcription_id}", response={200: DeletedOut}, summary="Delete a transcription's content")
def delete_transcription(request: HttpRequest, transcription_id: str) -> HttpResponse:
    """Erase audio and text. A running job is canceled first; its line in the bill, if any, stays."""
    caller, job_id = caller_with(request, WRITE), _job_id(transcription_id)
    found = _find(caller, job_id)
    if found.job.state in {"queued", "running"}:
        ending.cancel(job_id)
        found = _find(caller, job_id)
    ending.delete(found.job)
    return _json(resources.deleted(job_id))


def _job_id(shown: str) -> UUID:
    parsed = ids.parse(ids.TRANSCRIPTION, shown)
    if parsed is None:
        raise not_found("transcription")
    return parsed


def _find(caller: Caller, job_id: UUID) -> queries.Found:
    found = queries.find_transcription(caller, job_id)
    if found is None:
        raise not_found("transcription")
    return found


def _accepted(caller: Caller, accepted: services.Accepted) -> queries.Found:
    """The job as it was just written, or read again when time has passed since."""
    if accepted.job is None or accepted.request is None or accepted.lease is not None:
        return _find(caller, accepted.job_id)
    return queries.Found(accepted.job, accepted.request, None)


def _shown(found: queries.Found) -> dict[str, Any]:
    return resources.transcription(found.job, found.request, cost=found.cost, transcript=found.transcript)


def _wait(found: queries.Found) -> dict[str, str]:
    return {WAIT_HEADER: str(found.job.id)} if found.job.state in {"queued", "running"} else {}


def _json(body: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return HttpResponse(encoded, status=status, content_type="application/json", headers=headers)

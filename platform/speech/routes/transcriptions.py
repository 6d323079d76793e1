"""Routes of transcriptions: parse, authorise, call, answer."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field, JsonValue

from apikit import ids
from apikit.facade import MAX_LIMIT, ProblemOut, decode_cursor, page_before
from speech import ending, inline, intake, queries, resources, services
from speech.answers import DeletedOut, TranscriptionListOut, TranscriptionOut
from speech.filters import job_filter
from speech.retention import fetched_header
from speech.routes.shared import READ, WRITE, answer, check_names, erase, find, job_id_of, shown, wait_header
from speech.schemas import JsonTranscriptionIn, Tag, multipart_schema
from tenants.facade import ApiKeyAuth, Caller, caller_with

router = Router(auth=ApiKeyAuth(), tags=["transcriptions"])

_TIME: dict[str, JsonValue] = {"format": "date-time"}
_LIST_FIELDS = {"limit", "cursor", "status", "engine", "tag", "created_after", "created_before"}
_BODIES = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": JsonTranscriptionIn.model_json_schema()},
            "multipart/form-data": {"schema": multipart_schema()},
        },
    }
}


@router.post(
    "",
    response={200: TranscriptionOut, 202: TranscriptionOut, 402: ProblemOut, 404: ProblemOut, 409: ProblemOut},
    summary="Transcribe a recording",
    openapi_extra=_BODIES,
)
def create_transcription(request: HttpRequest) -> HttpResponse:
    """Accepted as a job; `Prefer: wait=30` answers with the result when it is there in time."""
    caller = caller_with(request, WRITE)
    order = intake.order_of(request, caller=caller)
    accepted, ended = inline.transcribe(caller, order, idempotency_key=intake.idempotency_key(request))
    found = ended or _accepted(caller, accepted)
    headers = {"Location": f"/v1/transcriptions/{ids.show(ids.TRANSCRIPTION, accepted.job_id)}", "Retry-After": "1"}
    if accepted.replayed:
        headers["Idempotency-Replayed"] = "true"
    waiting = wait_header(found)
    done = accepted.lease is not None and not waiting  # the inline lane has brought it to its end already
    headers |= waiting | fetched_header(found.request, has_content=found.transcript is not None)
    return answer(shown(found), status=200 if done else 202, headers=headers)


@router.get("", response={200: TranscriptionListOut}, summary="List transcriptions")
def list_transcriptions(
    request: HttpRequest,
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 20,
    cursor: str | None = None,
    status: Literal["queued", "running", "completed", "failed", "canceled"] | None = None,
    engine: Annotated[str, Field(max_length=64, description="The engine that hears it, once chosen.")] | None = None,
    tag: Annotated[Tag, Field(description="One of its tags.")] | None = None,
    created_after: Annotated[str, Field(description="From this RFC 3339 time on.", json_schema_extra=_TIME)]
    | None = None,
    created_before: Annotated[str, Field(description="Before this RFC 3339 time.", json_schema_extra=_TIME)]
    | None = None,
) -> HttpResponse:
    """Newest first, without their texts; every filter given must fit.

    With `tag`, a page may hold fewer than `limit` rows, even none, while `has_more` is true: follow `next_cursor`.
    """
    caller = caller_with(request, READ)
    check_names(request, known=_LIST_FIELDS)
    wanted = job_filter(
        livemode=caller.livemode, status=status, engine=engine, tag=tag, created_after=created_after,
        created_before=created_before,
    )  # fmt: skip
    before = decode_cursor(cursor) if cursor else None
    found = queries.list_transcriptions(caller, limit=limit, wanted=wanted, before=before)
    return answer(page_before(found.rows, next_before=found.next_before, shown=shown))


@router.get("/{transcription_id}", response={200: TranscriptionOut}, summary="Get a transcription")
def get_transcription(request: HttpRequest, transcription_id: str) -> HttpResponse:
    """The job and, once completed, its text; `Prefer: wait=30` waits for the end."""
    found = find(caller_with(request, READ), job_id_of(transcription_id))
    kept = fetched_header(found.request, has_content=found.transcript is not None)
    return answer(shown(found), headers=wait_header(found) | kept)


@router.post("/{transcription_id}/cancel", response={200: TranscriptionOut}, summary="Cancel a transcription")
def cancel_transcription(request: HttpRequest, transcription_id: str) -> HttpResponse:
    """Stop at once. What had been read of the text by then stays readable and is billed; nothing else is."""
    caller, job_id = caller_with(request, WRITE), job_id_of(transcription_id)
    find(caller, job_id)
    ending.ENDS.cancel(job_id)
    found = find(caller, job_id)
    return answer(shown(found), headers=fetched_header(found.request, has_content=found.transcript is not None))


@router.delete("/{transcription_id}", response={200: DeletedOut}, summary="Delete a transcription's content")
def delete_transcription(request: HttpRequest, transcription_id: str) -> HttpResponse:
    """Erase audio and text. A running job is canceled first; its line in the bill, if any, stays."""
    caller, job_id = caller_with(request, WRITE), job_id_of(transcription_id)
    erase(partial(find, caller, job_id), ending.ENDS)
    return answer(resources.deleted(job_id))


def _accepted(caller: Caller, accepted: services.Accepted) -> queries.Found:
    """The job as it was just written, or read again when time has passed since."""
    if accepted.job is None or accepted.request is None or accepted.lease is not None:
        return find(caller, accepted.job_id)
    return queries.Found(accepted.job, accepted.request, None)

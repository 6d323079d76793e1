"""The route of a transcription's event stream. It only finds the job: the front layer sends the body."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from apikit.facade import ProblemOut
from dispatch.facade import TERMINAL
from speech import sse
from speech.retention import stream_query
from speech.routes.shared import READ, STREAM_HEADER, find, job_id_of
from tenants.facade import ApiKeyAuth, caller_with

router = Router(auth=ApiKeyAuth(), tags=["transcriptions"])

_EVENTS = {
    "parameters": [
        {
            "name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string"},
            "description": "The id of the last event received: the stream goes on behind it. Anything that is no such "
            "id reads from the beginning.",
        }
    ],
    "responses": {
        200: {
            "description": "Events `status` (the transcription without its text), `progress`, `segment`, and last one "
            "of `completed`, `failed`, `canceled` (the transcription as GET returns it) or `deleted`. The id of an "
            "event is the number of segments sent so far, of the last one `end`.",
            "content": {sse.MEDIA_TYPE: {"schema": {"type": "string"}}},
        },
        204: {"description": "The reader has the last event already: an EventSource stops here."},
    },
}  # fmt: skip


@router.get(
    "/{transcription_id}/stream",
    response={429: ProblemOut},
    summary="Follow a transcription as server-sent events",
    openapi_extra=_EVENTS,
)
def stream_transcription(request: HttpRequest, transcription_id: str) -> HttpResponse:
    """Text as it is heard. What was sent counts as read: if the job is canceled, that part is billed.

    A comment every 15 s keeps the connection alive. A stream that ends without its last event was cut: come back with
    `Last-Event-ID`, to any process and also after the end, and nothing is missed or told twice.
    """
    found = find(caller_with(request, READ), job_id_of(transcription_id), with_text=False)
    last = request.headers.get("Last-Event-ID", "")
    if last == sse.END_ID and found.job.state in TERMINAL:
        return HttpResponse(status=204, content_type=sse.MEDIA_TYPE)
    headers = {STREAM_HEADER: f"sse:{found.job.id}?seen={sse.seen_of(last)}&{stream_query(found.request)}"}
    return HttpResponse(content_type=sse.MEDIA_TYPE, headers=headers)

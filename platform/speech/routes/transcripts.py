"""Routes of a transcript's formats."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from apikit.facade import ProblemOut
from speech import intake
from speech.answers import TranscriptOut
from speech.captions.render import CaptionFormat, render
from speech.routes.shared import READ, find, job_id_of
from tenants.facade import ApiKeyAuth, caller_with

router = Router(auth=ApiKeyAuth(), tags=["transcriptions"])

MEDIA_TYPES = {"text": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt", "json": "application/json"}
_TEXT_FORMS = {
    "responses": {
        200: {"content": {MEDIA_TYPES[form]: {"schema": {"type": "string"}} for form in ("text", "srt", "vtt")}}
    }
}


@router.get(
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
    found = find(caller_with(request, READ), job_id_of(transcription_id))
    if found.transcript is None:
        raise intake.not_ready(found.job.state)
    body = render(found.transcript, format=format, max_line_chars=max_line_chars, max_lines=max_lines)
    return HttpResponse(body.encode(), content_type=f"{MEDIA_TYPES[format]}; charset=utf-8")

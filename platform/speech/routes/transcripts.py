"""Routes of a transcript's formats."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from apikit import ids
from apikit.facade import ProblemOut
from speech import intake, queries
from speech.answers import TranscriptOut
from speech.captions import wishes
from speech.captions.downloads import content_disposition
from speech.captions.render import CaptionFormat, render
from speech.routes.shared import READ, check_names, find, job_id_of
from tenants.facade import ApiKeyAuth, caller_with

router = Router(auth=ApiKeyAuth(), tags=["transcriptions"])

MEDIA_TYPES = {"text": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt", "json": "application/json"}
_TEXT_FORMS = {
    "responses": {
        200: {"content": {MEDIA_TYPES[form]: {"schema": {"type": "string"}} for form in ("text", "srt", "vtt")}}
    }
}


class Wishes(Schema):
    """How captions and text shall look; what is left out follows the language."""

    max_line_chars: Annotated[int, Field(ge=8, le=200)] | None = Field(
        default=None, description="Letters on a line as a reader counts them: 42, for ko 16, ja 13, zh 16."
    )
    max_lines: Annotated[int, Field(ge=1, le=4)] | None = Field(default=None, description="Of one caption; 2.")
    min_cue_ms: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, description="A caption stays so long if the next one leaves room; 1000."
    )
    max_cue_ms: Annotated[int, Field(ge=500, le=60_000)] | None = Field(
        default=None, description="No caption stays longer; 7000."
    )
    max_chars_per_s: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None,
        description="Reading speed: a caption stays until it is read, if the next one leaves room; 17, for ko 12, "
        "ja 4, zh 9.",
    )
    speakers: bool | None = Field(default=None, description="Name speakers, else channels, where known; true.")
    word_times: bool | None = Field(
        default=None, description="vtt: each word's time inside the captions, where the engine gave it; false."
    )
    paragraphs: bool | None = Field(default=None, description="text: with paragraphs (true), or on one line.")


_FIELDS = {"format", "download", *Wishes.model_fields}


@router.get(
    "/{transcription_id}/transcript",
    response={200: TranscriptOut, 409: ProblemOut},
    summary="Get text, captions or words",
    openapi_extra=_TEXT_FORMS,
)
def get_transcript(
    request: HttpRequest,
    transcription_id: str,
    wanted: Query[Wishes],
    format: CaptionFormat = "json",  # noqa: A002  # the API's own word
    download: bool = False,
) -> HttpResponse:
    """The transcript as json, text, srt or vtt, in UTF-8; `download=true` names it after the recording, to be saved.

    A canceled transcription has one as far as its text had been read before.
    """
    caller = caller_with(request, READ)
    check_names(request, known=_FIELDS)
    look = wishes.checked(wanted.model_dump(), format=format)
    found = find(caller, job_id_of(transcription_id))
    if found.transcript is None:
        raise intake.not_ready(found.job.state)
    body = render(found.transcript, format=format, **look)
    headers = {"Content-Disposition": _saved_as(found, format=format)} if download else None
    return HttpResponse(body.encode(), content_type=f"{MEDIA_TYPES[format]}; charset=utf-8", headers=headers)


def _saved_as(found: queries.Found, *, format: CaptionFormat) -> str:  # noqa: A002
    return content_disposition(
        found.request.filename, format=format, fallback=ids.show(ids.TRANSCRIPTION, found.job.id)
    )

"""Routes of a transcript's formats."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import Field

from apikit import ids
from apikit.facade import ProblemOut
from speech import intake, queries
from speech.answers import TranscriptOut
from speech.captions import wishes
from speech.captions.downloads import content_disposition
from speech.captions.render import CaptionFormat, render
from speech.retention import fetched_header
from speech.routes.captions import TEXT_TYPES, Captions, described
from speech.routes.shared import READ, check_names, find, job_id_of
from tenants.facade import ApiKeyAuth, caller_with

router = Router(auth=ApiKeyAuth(), tags=["transcriptions"])


class Wishes(Captions):
    """How captions and text shall look; what is left out follows the language."""

    speakers: bool | None = Field(default=None, description="Name speakers, else channels, where known; true.")
    paragraphs: bool | None = Field(default=None, description="text: with paragraphs (true), or on one line.")


_FIELDS = {"format", "download", *Wishes.model_fields}


@router.get(
    "/{transcription_id}/transcript",
    response={200: TranscriptOut, 409: ProblemOut},
    summary="Get text, captions or words",
    openapi_extra=described("text", "srt", "vtt"),
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
    headers = fetched_header(found.request, has_content=True)
    headers |= {"Content-Disposition": _saved_as(found, format=format)} if download else {}
    return HttpResponse(body.encode(), content_type=f"{TEXT_TYPES[format]}; charset=utf-8", headers=headers)


def _saved_as(found: queries.Found, *, format: CaptionFormat) -> str:  # noqa: A002
    return content_disposition(
        found.request.filename, format=format, fallback=ids.show(ids.TRANSCRIPTION, found.job.id)
    )

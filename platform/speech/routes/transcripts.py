"""Routes of a transcript's formats."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import Field

from apikit import ids
from apikit.facade import ProblemOut
from speech import intake, queries, resources
from speech.answers import RawAnswerListOut, TranscriptOut
from speech.captions import wishes
from speech.captions.downloads import content_disposition
from speech.captions.render import CaptionFormat, render
from speech.raw_answers import raw_answers
from speech.retention import fetched_header
from speech.routes.captions import TEXT_TYPES, Captions, described
from speech.routes.shared import READ, answer, check_names, find, job_id_of
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


@router.get(
    "/{transcription_id}/raw", response={200: RawAnswerListOut, 409: ProblemOut}, summary="List the providers' answers"
)
def list_raw_answers(request: HttpRequest, transcription_id: str) -> HttpResponse:
    """What the providers themselves answered, part by part, as links to their JSON; erased with the transcription.

    Empty for an engine of this installation, and for a result that was taken over from another job.
    """
    found = find(caller_with(request, READ), job_id_of(transcription_id), with_text=False)
    if found.job.state != "completed":  # of a canceled one only the text that had been read was paid for
        raise intake.not_ready(found.job.state)
    shown = [resources.raw_answer(one) for one in raw_answers(found.job)]
    return answer({"object": "list", "data": shown, "has_more": False, "next_cursor": None})


def _saved_as(found: queries.Found, *, format: CaptionFormat) -> str:  # noqa: A002
    return content_disposition(
        found.request.filename, format=format, fallback=ids.show(ids.TRANSCRIPTION, found.job.id)
    )

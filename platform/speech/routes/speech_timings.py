"""Routes of what is said when: times as JSON, and captions made from them."""

from __future__ import annotations

from typing import Literal, cast

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from apikit import ids
from apikit.facade import Problem, ProblemOut
from speech.captions import wishes
from speech.captions.downloads import content_disposition
from speech.captions.render import render
from speech.engines.speaking import Timing
from speech.models import SpokenAudio
from speech.routes.captions import CAPTION_TYPES, Captions, described
from speech.routes.shared import answer, check_names
from speech.routes.speech import find_speech, job_id_of_speech, no_audio, reader
from speech.synthesis import queries, timekeeping
from speech.synthesis.schemas import SpeechTimingsOut
from speech.synthesis.timings import as_transcript
from tenants.facade import ApiKeyAuth

router = Router(auth=ApiKeyAuth(), tags=["speech"])


@router.get(
    "/{speech_id}/timings",
    response={200: SpeechTimingsOut, 409: ProblemOut, 410: ProblemOut},
    summary="Get when each word is said",
)
def get_speech_timings(request: HttpRequest, speech_id: str) -> HttpResponse:
    """Words or sentences with their places in the text and their times, as `timings` asked for."""
    found = find_speech(reader(request), job_id_of_speech(speech_id))
    audio = _timed_audio(found)
    text = timekeeping.text_of(found.request)
    data = [
        {"text": text[one.start : one.end], "start": one.start, "end": one.end, "start_ms": one.start_ms,
         "end_ms": one.end_ms}
        for one in timekeeping.read(audio)
    ]  # fmt: skip
    shown = {
        "id": ids.show(ids.SPEECH, found.job.id), "object": "speech_timings", "kind": found.request.timings,
        "text": text, "language": found.request.language, "duration_ms": audio.duration_ms, "data": data,
    }  # fmt: skip
    return answer(shown)


@router.get(
    "/{speech_id}/captions",
    response={409: ProblemOut, 410: ProblemOut},
    summary="Get captions of a speech",
    openapi_extra=described("srt", "vtt"),
)
def get_speech_captions(
    request: HttpRequest,
    speech_id: str,
    wanted: Query[Captions],
    format: Literal["srt", "vtt"] = "vtt",  # noqa: A002  # the API's own word
    download: bool = False,
) -> HttpResponse:
    """The text as captions for the audio; `download=true` has them saved under the job's id."""
    caller = reader(request)
    check_names(request, known={"format", "download", *Captions.model_fields})
    look = wishes.checked(wanted.model_dump(), format=format)
    found = find_speech(caller, job_id_of_speech(speech_id))
    audio, kind = _timed_audio(found), cast(Timing, found.request.timings)
    transcript = as_transcript(
        timekeeping.text_of(found.request), timekeeping.read(audio), kind=kind, language=found.request.language,
        duration_ms=audio.duration_ms,
    )  # fmt: skip
    body = render(transcript, format=format, **look)
    shown_id = ids.show(ids.SPEECH, found.job.id)
    headers = {"Content-Disposition": content_disposition("", format=format, fallback=shown_id)} if download else None
    return HttpResponse(body.encode(), content_type=f"{CAPTION_TYPES[format]}; charset=utf-8", headers=headers)


def _timed_audio(found: queries.Found) -> SpokenAudio:
    if found.audio is None:
        raise no_audio(found)
    if not found.request.timings:
        raise Problem("no_timings", 409, "This speech was made without times. Send the text again with `timings`.")
    return found.audio

"""Routes of speech and voices: parse, authorise, call, answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from apikit import ids
from apikit.facade import MAX_LIMIT, Problem, ProblemOut, decode_cursor, not_found, page_before
from speech import intake, retention
from speech.answers import DeletedOut
from speech.audio.encoding import MEDIA_TYPES
from speech.resources import URL_LIFE_S
from speech.routes.shared import (
    STREAM_HEADER,
    THEN_HEADER,
    WAIT_HEADER,
    WAIT_S_HEADER,
    WITH_FIRST_HEADER,
    answer,
    erase,
)
from speech.synthesis import aliases, ending, here, keeping, live, queries, resources, services
from speech.synthesis import intake as speech_intake
from speech.synthesis.schemas import SpeechIn, SpeechListOut, SpeechOut, VoiceListOut
from speech.synthesis.voices import known_voices
from storage.facade import store
from tenants.facade import ApiKeyAuth, Caller, caller_with

READ, WRITE = "speech:read", "speech:write"
WAIT_S = 600
MAX_BODY_BYTES = 16_000_000  # a longer file is fetched from its own URL

speech = Router(auth=ApiKeyAuth(), tags=["speech"])
voices = Router(auth=ApiKeyAuth(), tags=["speech"])
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_AUDIO = {"responses": {200: {"content": dict.fromkeys(MEDIA_TYPES.values(), _BINARY)}}}


@speech.post(
    "",
    response={200: SpeechOut, 202: SpeechOut, 402: ProblemOut, 409: ProblemOut},
    summary="Speak a text",
    openapi_extra=_AUDIO,
)
def create_speech(request: HttpRequest, body: SpeechIn) -> HttpResponse:
    """Short text is answered with the audio itself; long text, or `Prefer: respond-async`, with a job."""
    caller = caller_with(request, WRITE)
    order = speech_intake.order_of(request, body, caller=caller)
    accepted = services.accept(caller, order, idempotency_key=intake.idempotency_key(request))
    done = here.run(accepted)
    found = found_after(caller, accepted, done)
    headers = {"Location": f"/v1/speech/{ids.show(ids.SPEECH, accepted.job_id)}"}
    if accepted.replayed:
        headers["Idempotency-Replayed"] = "true"
    if not order.waited_for:
        return answer(_shown(found), status=202, headers=headers | {"Retry-After": "1"})
    if isinstance(done, here.UnderWay):
        told = about(found) | later(found, then=f"{headers['Location']}/audio") | streamed("audio", found)
        return HttpResponse(content_type=MEDIA_TYPES[order.format], headers=headers | told)
    if found.job.state in {"queued", "running"}:
        headers |= later(found, then=f"{headers['Location']}/audio")
        return answer(_shown(found), status=202, headers=headers)
    return _audio(found, headers=headers, body=done.body if done else None)


@speech.get("", response={200: SpeechListOut}, summary="List speech jobs")
def list_speech(
    request: HttpRequest,
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 20,
    cursor: str | None = None,
    status: Literal["queued", "running", "completed", "failed", "canceled"] | None = None,
) -> HttpResponse:
    """Newest first."""
    caller = caller_with(request, READ)
    before = decode_cursor(cursor) if cursor else None
    found = queries.list_speech(caller, limit=limit, before=before, state=status)
    return answer(page_before(found.rows, next_before=found.next_before, shown=_listed))


@speech.get("/{speech_id}", response={200: SpeechOut}, summary="Get a speech job")
def get_speech(
    request: HttpRequest,
    speech_id: str,
    url_expires_s: Annotated[int, Field(ge=60, le=604_800)] = URL_LIFE_S,
) -> HttpResponse:
    """The job and, once completed, a fresh URL of its file; `Prefer: wait=30` waits for the end."""
    found = find_speech(caller_with(request, READ), job_id_of_speech(speech_id))
    waiting = {WAIT_HEADER: str(found.job.id)} if found.job.state in {"queued", "running"} else {}
    return answer(_shown(found, url_expires_s=url_expires_s), headers=waiting)


@speech.get(
    "/{speech_id}/audio", response={409: ProblemOut, 410: ProblemOut}, summary="Get the audio", openapi_extra=_AUDIO
)
def get_speech_audio(request: HttpRequest, speech_id: str) -> HttpResponse:
    """The file itself, or for a large one a redirect to its signed URL."""
    return _audio(find_speech(reader(request), job_id_of_speech(speech_id)), headers={})


@speech.post("/{speech_id}/cancel", response={200: SpeechOut}, summary="Cancel a speech job")
def cancel_speech(request: HttpRequest, speech_id: str) -> HttpResponse:
    """Stop at once. What was sent of a stream by then is billed; nothing else is."""
    caller, job_id = caller_with(request, WRITE), job_id_of_speech(speech_id)
    find_speech(caller, job_id)
    ending.ENDS.cancel(job_id)
    return answer(_shown(find_speech(caller, job_id)))


@speech.delete("/{speech_id}", response={200: DeletedOut}, summary="Delete a speech job's content")
def delete_speech(request: HttpRequest, speech_id: str) -> HttpResponse:
    """Erase text and audio. A running job is canceled first; its line in the bill, if any, stays."""
    caller, job_id = caller_with(request, WRITE), job_id_of_speech(speech_id)
    erase(partial(find_speech, caller, job_id), ending.ENDS)
    return answer(resources.deleted(job_id))


@voices.get("", response={200: VoiceListOut}, summary="List voices")
def list_voices(
    request: HttpRequest,
    language: str | None = None,
    engine: str | None = None,
    gender: str | None = None,
    style: str | None = None,
    alias: str | None = None,
) -> HttpResponse:
    """Every voice that can be asked for, filtered, with the tenant's own names of it."""
    names = aliases.names_by_voice(caller_with(request, WRITE))
    called = aliases.name_of(alias) if alias is not None else None
    found = [
        resources.voice(one, aliases=names.get(one.id, []))
        for one in known_voices()
        if (language is None or one.speaks(language)) and engine in (None, one.engine) and gender in (None, one.gender)
        and (style is None or style in one.styles) and (alias is None or called in names.get(one.id, []))
    ]  # fmt: skip
    return answer({"object": "list", "data": found, "has_more": False, "next_cursor": None})


def reader(request: HttpRequest) -> Caller:
    """The caller, who may read, or may have things spoken and so hear them."""
    caller: Caller = request.auth  # type: ignore[attr-defined]  # ninja puts it there
    return caller_with(request, READ if READ in caller.scopes else WRITE)


async def audio_stream(caller: Caller, job_id: UUID, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
    """Speech under way as the pieces of its file (the stream kind `audio`)."""
    async with aclosing(live.pieces(job_id)) as pieces:
        async for piece in pieces:
            yield piece
    await retention.sent(job_id, query)


def streamed(kind: str, found: queries.Found) -> dict[str, str]:
    """The front layer is to answer with the stream of this kind, once there is something of it."""
    query = retention.stream_query(found.request)
    return {STREAM_HEADER: f"{kind}:{found.job.id}?{query}", WITH_FIRST_HEADER: "1"}


def later(found: queries.Found, *, then: str) -> dict[str, str]:
    """The front layer is to wait for the job's end, and then to answer as the path `then` does."""
    return {WAIT_HEADER: str(found.job.id), WAIT_S_HEADER: str(WAIT_S), THEN_HEADER: then}


def job_id_of_speech(shown: str) -> UUID:
    """The id of a speech job in a path; raises a 404 `Problem`."""
    parsed = ids.parse(ids.SPEECH, shown)
    if parsed is None:
        raise not_found("speech job")
    return parsed


def find_speech(caller: Caller, job_id: UUID) -> queries.Found:
    """The caller's speech job; raises a 404 `Problem`."""
    found = queries.find_speech(caller, job_id)
    if found is None:
        raise not_found("speech job")
    return found


def found_after(caller: Caller, accepted: services.Accepted, done: here.Done | here.UnderWay | None) -> queries.Found:
    """The job as this request has just written it, or read again when others may have written since."""
    if isinstance(done, here.Done):
        return done.found
    if accepted.job is None or accepted.request is None or (accepted.lease is not None and done is None):
        return find_speech(caller, accepted.job_id)
    return queries.Found(accepted.job, accepted.request, None, None)


def _listed(found: queries.Found) -> dict[str, Any]:
    return resources.speech(found.job, found.request, cost=found.cost, audio=found.audio)


def _shown(found: queries.Found, *, url_expires_s: int = URL_LIFE_S) -> dict[str, Any]:
    shown = _listed(found)
    if found.audio is not None:
        shown["audio"] |= resources.signed(found.audio, expires_s=url_expires_s)
    return shown


def _audio(found: queries.Found, *, headers: dict[str, str], body: bytes | None = None) -> HttpResponse:
    if found.audio is None:
        raise no_audio(found)
    keeping.note_use(found.audio)
    headers = headers | about(found)
    if found.audio.size_bytes > MAX_BODY_BYTES:
        url = resources.signed(found.audio)["download_url"]
        return HttpResponse(status=307, headers=headers | {"Location": url})
    body = body if body is not None else store().read_bytes(found.audio.object_key)
    headers |= retention.fetched_header(found.request, has_content=True)
    return HttpResponse(body, content_type=found.audio.content_type, headers=headers)


def about(found: queries.Found) -> dict[str, str]:
    """What the headers of an audio answer tell of its job."""
    return {
        "X-Parlance-Speech-Id": ids.show(ids.SPEECH, found.job.id), "X-Parlance-Voice": found.request.voice,
        "X-Parlance-Characters": str(found.request.characters),
        "X-Parlance-Cache": "hit" if found.request.reused_from else "miss",
    }  # fmt: skip


def no_audio(found: queries.Found) -> Problem:
    """Why there is no file."""
    state, error = found.job.state, found.request.error
    if state in {"queued", "running"}:
        return Problem("not_ready", 409, "The speech is not finished yet. Ask again, or wait for its webhook.")
    if error:
        status = 402 if error["code"] == "insufficient_funds" else 422
        return Problem(error["code"], status, error["detail"])
    if state == "completed":
        return Problem("audio_expired", 410, "The file was not used for long and is gone. Send the text again.")
    return Problem("no_audio", 409, f"The speech job is {state} and has no audio.")

"""`/v1/audio/speech`: what OpenAI's SDKs send to have a text spoken, as an order like every other."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from apikit import ids
from apikit.asgi import AnsweredLater
from apikit.dialects import openai_error
from apikit.facade import Body, FieldError, Problem, not_found
from apikit.front import WAITED
from apikit.threads import in_request_thread
from observe.facade import get_logger
from speech import intake, retention
from speech.audio.encoding import MEDIA_TYPES, AudioFormat
from speech.openai import errors, orders
from speech.providers import speakers
from speech.routes.shared import answer
from speech.routes.speech import (
    WRITE,
    about,
    audio_stream,
    find_speech,
    found_after,
    job_id_of_speech,
    later,
    no_audio,
    streamed,
)
from speech.schemas import NO_NUL, Language
from speech.synthesis import aliases, here, queries, services
from speech.synthesis import intake as speech_intake
from speech.synthesis.joining import format_of
from speech.synthesis.schemas import SpeechIn
from speech.synthesis.voices import known_voices
from storage.facade import store
from tenants.facade import ApiKeyAuth, Caller, caller_with

log = get_logger(__name__)
audio_speech = Router(auth=ApiKeyAuth(), tags=["openai"])

PCM_RATE_HZ: Final = 24_000  # of OpenAI's `pcm`
DELTA_BYTES: Final = 24_576
SSE: Final = "text/event-stream"
# OpenAI's names: whoever asks for one of them gets the default voice of the text's language.
MODELS: Final = frozenset({"tts-1", "tts-1-hd", "gpt-4o-mini-tts"})
VOICES: Final = frozenset(
    {"alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse", "marin", "cedar"}
)


class VoiceId(Body):
    """A voice by its id."""

    id: str = Field(max_length=128)


class OpenAISpeechIn(Body):
    """A text to speak, as OpenAI's SDKs send it; what is not OpenAI's comes through `extra_body`."""

    model: str = Field(min_length=1, max_length=128, description="tts-1, tts-1-hd, gpt-4o-mini-tts, or an engine.")
    input: str = Field(description="The text; longer than OpenAI's 4,096 characters too.")
    voice: str | VoiceId = Field(description="One of OpenAI's names for the default voice, or one of /v1/voices.")
    instructions: str | None = Field(default=None, max_length=4096, pattern=NO_NUL, description="Passed over.")
    response_format: AudioFormat = "mp3"
    speed: Annotated[float, Field(ge=0.25, le=4)] = 1.0
    stream_format: Literal["audio", "sse"] = "audio"
    language: Language | None = None
    reuse: Literal["auto", "never"] = "auto"
    simulate: str | None = Field(default=None, max_length=64, pattern=NO_NUL)


@audio_speech.post(
    "/speech",
    summary="Speak a text, as OpenAI does",
    openapi_extra={
        "responses": {
            200: {
                "content": {
                    media_type: {"schema": {"type": "string", "format": "binary"}}
                    for media_type in [*MEDIA_TYPES.values(), "text/event-stream"]
                }
            }
        }
    },
)
def create_openai_speech(request: HttpRequest, body: OpenAISpeechIn) -> HttpResponse:
    """The audio, or with `stream_format: sse` its pieces as events."""
    caller = caller_with(request, WRITE)
    order = speech_intake.order_of(request, _native(body, caller), caller=caller, always_waited_for=True)
    order = replace(order, attempt=orders.attempt_of(request))
    accepted = services.accept(caller, order, idempotency_key=intake.idempotency_key(request))
    done = here.run(accepted)
    response = _begun(found_after(caller, accepted, done), done, sse=body.stream_format == "sse")
    if accepted.replayed:
        response["Idempotency-Replayed"] = "true"
    return response


def _begun(found: queries.Found, done: here.Done | here.UnderWay | None, *, sse: bool) -> HttpResponse:
    """The audio, or what the front layer needs to bring it."""
    told = later(found, then=f"/v1/audio/speech/{ids.show(ids.SPEECH, found.job.id)}{'/events' if sse else ''}")
    if isinstance(done, here.UnderWay):
        told |= about(found) | streamed("audio-sse" if sse else "audio", found)
        return HttpResponse(content_type=SSE if sse else MEDIA_TYPES[format_of(found.request)], headers=told)
    if found.job.state in {"queued", "running"}:
        return answer({}, status=202, headers=told)
    return _spoken(found, sse=sse, body=done.body if done else None)


@audio_speech.get("/speech/{speech_id}", include_in_schema=False)
def get_openai_speech(request: HttpRequest, speech_id: str) -> HttpResponse:
    """The answer of a request that the front layer has waited with."""
    return _spoken(_waited(request, speech_id), sse=False)


@audio_speech.get("/speech/{speech_id}/events", include_in_schema=False)
def get_openai_speech_events(request: HttpRequest, speech_id: str) -> HttpResponse:
    """The same, as events."""
    return _spoken(_waited(request, speech_id), sse=True)


def _waited(request: HttpRequest, speech_id: str) -> queries.Found:
    caller, job_id = caller_with(request, WRITE), job_id_of_speech(speech_id)
    if getattr(request, "scope", {}).get(WAITED) != str(job_id):
        raise not_found("path")
    return find_speech(caller, job_id)


def _native(body: OpenAISpeechIn, caller: Caller) -> SpeechIn:
    """The same wishes in our own words. A tenant's alias named like one of OpenAI's voices or models says who it is."""
    voice = body.voice if isinstance(body.voice, str) else body.voice.id
    own = next((name for name in (voice, body.model) if aliases.voice_id_of(name, caller=caller)), None)
    return SpeechIn(
        text=body.input, voice=own or (None if voice in VOICES else voice), engine=None if own else _engine(body.model),
        language=body.language,
        format=body.response_format, sample_rate_hz=PCM_RATE_HZ if body.response_format == "pcm" else None,
        speed=body.speed, reuse=body.reuse, simulate=body.simulate,
    )  # fmt: skip


def _engine(model: str) -> str | None:
    if model in MODELS:
        return None
    if model in speakers() and any(voice.engine == model for voice in known_voices()):
        return model
    detail = f"There is no speech model of that name. Models here: {', '.join([*sorted(MODELS), *speakers()])}."
    raise Problem("unknown_model", 404, detail, [FieldError("model", "unknown_model", detail)])


def _spoken(found: queries.Found, *, sse: bool, body: bytes | None = None) -> HttpResponse:
    headers = about(found)
    if found.audio is None:
        raise _failure(found, headers)
    body = body if body is not None else store().read_bytes(found.audio.object_key)
    headers |= retention.fetched_header(found.request, has_content=True)
    if not sse:
        return HttpResponse(body, content_type=found.audio.content_type, headers=headers)
    told = b"".join(_events(body, characters=found.request.characters))
    return HttpResponse(told, content_type=SSE, headers=headers | {"Cache-Control": "no-store"})


def _failure(found: queries.Found, headers: dict[str, str]) -> Problem:
    if found.job.state in {"queued", "running"}:
        detail = "The text is still being spoken. Send the same request again, or shorter text."
        return Problem("not_done_in_time", 504, detail, headers=headers)
    if found.job.state == "completed":
        return no_audio(found)
    if found.job.state == "canceled":
        return Problem("canceled", 409, "The speech was canceled. Send the text again.", headers=headers)
    error = found.request.error or {"code": "internal_error", "detail": "Something went wrong on our side."}
    return errors.failed(str(error["code"]), str(error["detail"]), headers=headers)


async def audio_events(caller: Caller, job_id: UUID, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
    """Speech under way as OpenAI's events (the stream kind `audio-sse`)."""
    characters = await in_request_thread(lambda: find_speech(caller, job_id).request.characters)
    try:
        async with aclosing(audio_stream(caller, job_id, query)) as pieces:
            async for piece in pieces:
                yield _delta(piece)
    except AnsweredLater:
        raise
    except Exception as error:  # there are events before it: the last one tells what has become of the job
        log.warning("openai_speech_broke_off", job_id=str(job_id), error=type(error).__name__)
        yield _event(openai_error(await in_request_thread(_broken, caller, job_id, error)))
    else:
        yield _done(characters)


def _broken(caller: Caller, job_id: UUID, error: Exception) -> Problem:
    found = find_speech(caller, job_id)
    if found.job.state in {"failed", "canceled"}:
        return _failure(found, {})
    shown = ids.show(ids.SPEECH, job_id)
    detail = f"The speech broke off and is being made whole, for the same bill: GET /v1/speech/{shown}/audio."
    return Problem(str(getattr(error, "code", "internal_error")), 503, detail)


def _events(body: bytes, *, characters: int) -> Iterator[bytes]:
    for start in range(0, len(body), DELTA_BYTES):
        yield _delta(body[start : start + DELTA_BYTES])
    yield _done(characters)


def _delta(piece: bytes) -> bytes:
    return _event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})


def _done(characters: int) -> bytes:
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "characters": characters}  # billed by character
    return _event({"type": "speech.audio.done", "usage": usage})


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"

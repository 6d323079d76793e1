"""From OpenAI's fields to an order of ours. What no engine here can do is refused, never passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from apikit.facade import FieldError, Problem
from observe.facade import traceparent_or_new
from speech import choosing, intake, retention
from speech.contracts import TranscriptionOrder
from speech.destinations import services as destinations
from speech.offers.current import catalogue
from speech.openai import forms, models
from speech.openai.models import Model
from speech.openai.schemas import AudioIn
from speech.options import Options, Task
from tenants.facade import Caller

ROUTES: dict[Task, str] = {
    "transcribe": "POST /v1/audio/transcriptions",
    "translate": "POST /v1/audio/translations",
}
STREAMED = frozenset({"json", "text", "diarized_json"})
CAPTIONS = frozenset({"srt", "vtt"})
MAX_ATTEMPT = 1_000


def order_of(request: HttpRequest, *, task: Task, caller: Caller) -> TranscriptionOrder:
    """The checked order; raises a `Problem` that names every wrong field."""
    body, form = forms.read(request, task=task)
    today = datetime.now(UTC).date()
    model = models.resolve(body.model, available=choosing.available(), known=catalogue(), today=today)
    refused = list(_refused(body, model, task))
    if refused:
        raise Problem("invalid_request", 422, f"{refused[0].field}: {refused[0].detail}", refused)
    return TranscriptionOrder(
        file=intake.stored_file(form),
        engine=model.engine or body.engine,
        options=_options(body, model, task),
        metadata=body.metadata,
        tags=tuple(body.tags),
        webhook_url=body.webhook_url,
        destination=destinations.named(caller, body.destination_id),
        delete_after_s=retention.asked(body.delete_after_s, caller=caller),
        presentation=_presentation(body),
        routing=intake.routing_of(body),
        waited_for=True,
        streamed=body.stream,
        attempt=attempt_of(request),
        traceparent=traceparent_or_new(request.headers.get("traceparent")),
        route=ROUTES[task],
    )


def _options(body: AudioIn, model: Model, task: Task) -> Options:
    asked = body.model_copy(
        update={
            "model": model.model,
            "task": task,
            "diarize": body.diarize or model.diarize,
            "vocabulary": [*body.vocabulary, *body.keywords],
            "word_timestamps": True if "word" in body.timestamp_granularities else body.word_timestamps,
        }
    )
    temperature = "" if body.temperature is None else f"{body.temperature:g}"
    return replace(intake.options_of(asked), temperature=temperature)


def _presentation(body: AudioIn) -> dict[str, Any]:
    """How the answer is to look; only what was asked for."""
    asked = {
        "granularities": sorted(set(body.timestamp_granularities)),
        "names": body.known_speaker_names,
        "max_line_chars": body.max_line_chars,
        "max_lines": body.max_lines,
        "stream": body.stream,
    }
    shown = {name: value for name, value in asked.items() if value}
    return {"api": "openai", "model": body.model, "response_format": body.response_format} | shown


def _refused(body: AudioIn, model: Model, task: Task) -> Iterator[FieldError]:
    diarized = body.diarize or model.diarize
    if model.engine and body.engine and body.engine != model.engine:
        yield _wrong("engine", f"The model {model.id} is of {model.engine}. Leave engine out, or send whisper-1.")
    if body.timestamp_granularities and body.response_format != "verbose_json":
        yield _wrong("timestamp_granularities", "It needs response_format=verbose_json.")
    if "word" in body.timestamp_granularities and body.word_timestamps is False:
        yield _wrong("word_timestamps", "The granularity word was asked for. Leave word_timestamps out.")
    if body.response_format == "diarized_json" and not diarized:
        yield _wrong("response_format", f"diarized_json needs the model {models.DIARIZE}, or diarize=true.")
    if body.response_format == "diarized_json" and task == "translate":
        yield _wrong("response_format", "Translations have json, text, srt, verbose_json and vtt.")
    if (body.max_line_chars or body.max_lines) and body.response_format not in CAPTIONS:
        yield _wrong("max_line_chars" if body.max_line_chars else "max_lines", "It needs response_format srt or vtt.")
    if body.stream and body.response_format not in STREAMED:
        yield _wrong("stream", f"A stream brings json, text or diarized_json. {body.response_format} comes whole.")
    yield from _not_offered(body, diarized=diarized)


def _not_offered(body: AudioIn, *, diarized: bool) -> Iterator[FieldError]:
    if body.include:
        detail = (
            "No engine here tells log probabilities. Leave include out; GET /v1/transcriptions/{id} has confidences."
        )
        yield FieldError("include", "unsupported_value", detail)
    if body.known_speaker_references:
        detail = (
            "No engine here takes samples of voices. Send known_speaker_names alone: who speaks first is the first."
        )
        yield FieldError("known_speaker_references", "unsupported_value", detail)
    if body.known_speaker_names and not diarized:
        yield _wrong("known_speaker_names", f"It needs the model {models.DIARIZE}, or diarize=true.")


def attempt_of(request: HttpRequest) -> int | None:
    """How often OpenAI's SDK has tried this call before."""
    told = request.headers.get("X-Stainless-Retry-Count", "")
    return min(int(told), MAX_ATTEMPT) if told.isascii() and told.isdecimal() and len(told) < 10 else None


def _wrong(name: str, detail: str) -> FieldError:
    return FieldError(name, "contradiction", detail)

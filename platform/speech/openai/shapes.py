"""A transcription in the formats of OpenAI's audio routes, for every engine alike.

OpenAI counts in seconds, so the milliseconds of the transcript are divided here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from apikit import ids
from billing.facade import shown_amount
from speech import pools
from speech.captions.render import render
from speech.languages import english_name
from speech.openai import speakers
from speech.openai.models import TELLS_LANGUAGES
from speech.queries import Found
from speech.resources import routing_shown
from speech.transcript import Segment, Transcript

ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"]
MEDIA_TYPES: Final = {
    "text": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
}
JSON: Final = "application/json"
NOT_KNOWN: Final = "unknown"  # a language, or a speaker, that the engine did not tell


def json_value(found: Found, transcript: Transcript) -> dict[str, Any]:
    """The body of the JSON formats."""
    asked = found.request.presentation
    shown = {
        "json": _plain,
        "verbose_json": _verbose,
        "diarized_json": _diarized,
    }[asked["response_format"]](found, transcript)
    if asked.get("model") == TELLS_LANGUAGES:
        shown["languages"] = [{"code": transcript.language}] if transcript.language else []
    return shown | {"usage": usage(found), "x_parlance": ours(found)}


def text_body(found: Found, transcript: Transcript) -> str:
    """The body of the text formats, captions by the same renderer as everywhere."""
    asked = found.request.presentation
    if asked["response_format"] == "text":
        return f"{transcript.text}\n"
    form: Literal["srt", "vtt"] = "srt" if asked["response_format"] == "srt" else "vtt"
    named = speakers.renamed(transcript, names=asked.get("names", ()))
    return render(named, format=form, max_line_chars=asked.get("max_line_chars"), max_lines=asked.get("max_lines", 2))


def usage(found: Found) -> dict[str, Any]:
    """What was heard, in the unit that we bill."""
    return {"type": "duration", "seconds": seconds(found.job.measured_ms or 0)}


def ours(found: Found) -> dict[str, Any]:
    """What OpenAI's answers have no place for; SDKs keep fields that they do not know."""
    return {
        "id": ids.show(ids.TRANSCRIPTION, found.job.id),
        "engine": found.job.engine,
        "quality": pools.quality_of(found.job.engine) if found.job.engine else None,
        "cost": {"amount": shown_amount(found.cost.amount), "currency": found.cost.currency} if found.cost else None,
        "routing": routing_shown(found.request),
        "warnings": found.request.warnings,
    }


def seconds(time_ms: int) -> float:
    """Milliseconds as OpenAI counts.

    >>> seconds(1_250)
    1.25
    """
    return time_ms / 1000


def diarized_segment(segment: Segment, *, names: Mapping[str, str]) -> dict[str, Any]:
    """A segment of diarized_json, and an event of a stream."""
    speaker = segment.speaker or NOT_KNOWN
    return {
        "type": "transcript.text.segment",
        "id": segment_id(segment.id),
        "start": seconds(segment.start_ms),
        "end": seconds(segment.end_ms),
        "text": segment.text,
        "speaker": names.get(speaker, speaker),
    }


def segment_id(number: int) -> str:
    """The name of a diarized segment.

    >>> segment_id(0)
    'seg_000'
    """
    return f"seg_{number:03}"


def _plain(found: Found, transcript: Transcript) -> dict[str, Any]:
    return {"text": transcript.text}


def _verbose(found: Found, transcript: Transcript) -> dict[str, Any]:
    asked = found.request.presentation
    granularities = asked.get("granularities") or ["segment"]
    names = speakers.named_in(transcript, names=asked.get("names", ()))
    temperature = float(found.request.options.get("temperature") or 0)
    shown: dict[str, Any] = {
        "task": found.request.options.get("task", "transcribe"),
        "language": english_name(transcript.language) if transcript.language else NOT_KNOWN,
        "duration": seconds(found.job.measured_ms or 0),
        "text": transcript.text,
    }
    if "segment" in granularities:
        shown["segments"] = [_segment(segment, temperature=temperature, names=names) for segment in transcript.segments]
    if "word" in granularities:
        shown["words"] = [
            {"word": word.text, "start": seconds(word.start_ms), "end": seconds(word.end_ms)}
            for word in transcript.words
        ]
    return shown


def _segment(segment: Segment, *, temperature: float, names: Mapping[str, str]) -> dict[str, Any]:
    """Our engines tell no tokens and no probabilities of OpenAI's kind: those fields are there, and empty."""
    shown: dict[str, Any] = {
        "id": segment.id,
        "seek": 0,
        "start": seconds(segment.start_ms),
        "end": seconds(segment.end_ms),
        "text": segment.text,
        "tokens": [],
        "temperature": temperature,
        "avg_logprob": 0.0,
        "compression_ratio": 0.0,
        "no_speech_prob": 0.0,
    }
    if segment.speaker is not None:
        shown["speaker"] = names.get(segment.speaker, segment.speaker)
    return shown if segment.channel is None else shown | {"channel": segment.channel}


def _diarized(found: Found, transcript: Transcript) -> dict[str, Any]:
    names = speakers.named_in(transcript, names=found.request.presentation.get("names", ()))
    return {
        "task": found.request.options.get("task", "transcribe"),
        "duration": seconds(found.job.measured_ms or 0),
        "text": transcript.text,
        "segments": [diarized_segment(segment, names=names) for segment in transcript.segments],
    }

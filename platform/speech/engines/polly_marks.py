"""Amazon Polly's speech marks: lines of JSON, each with a time and the bytes of the request's text that it means."""

from __future__ import annotations

import json

from speech.engines import provider_calls
from speech.engines.speaking import Mark, SpokenPart
from speech.synthesis.places import Places
from speech.synthesis.ssml import spoken_of


def marks_in(lines: bytes, *, part: SpokenPart, document: str, is_markup: bool) -> list[Mark]:
    """Marks as places of the part's own text; raises `SpeakFailed` for what is no answer of Polly."""
    text = spoken_of(part.text) if part.is_ssml else part.text
    places = Places(document, is_markup=is_markup, text=text)
    try:
        told = [(int(mark["start"]), int(mark["time"])) for mark in map(json.loads, lines.splitlines())]
    except (ValueError, KeyError, TypeError):
        raise provider_calls.broken("Amazon Polly") from None
    found = ((places.of_byte(byte), at_ms) for byte, at_ms in told)
    return [Mark(start, at_ms) for start, at_ms in found if start is not None]

"""What the fakes of hearing providers hear: words that follow from the length of the audio that arrived."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

SLOT_MS, WORD_MS = 500, 400
WORDS_PER_SPEAKER = 4
VOCABULARY = ("Good", "morning", "everyone,", "안녕하세요", "여러분", "thank", "you", "all.")
SCRIPT = "<script>alert('x')</script>\x00\x1b[31m \u202eevil\ud800"
TIME_KEYS = {"start", "end", "startOffset", "endOffset", "offsetMilliseconds", "durationMilliseconds"}
TEXT_KEYS = {"text", "word", "punctuated_word", "transcript"}


@dataclass(frozen=True)
class Said:
    """One word; `speaker` counts from 0."""

    text: str
    start_ms: int
    end_ms: int
    speaker: int
    confidence: float = 0.98


def said_in(duration_ms: int) -> list[Said]:
    """Two people by turns, four words each."""
    return [
        Said(VOCABULARY[n % len(VOCABULARY)], n * SLOT_MS, n * SLOT_MS + WORD_MS, n // WORDS_PER_SPEAKER % 2)
        for n in range(duration_ms // SLOT_MS)
    ]


def turns(said: list[Said]) -> Iterator[list[Said]]:
    """The words of one speaker after those of the other."""
    for _, words in groupby(said, key=lambda word: word.speaker):
        yield list(words)


def text_of(said: list[Said]) -> str:
    return " ".join(word.text for word in said)


def audio_ms(body: bytes) -> int | None:
    """The length of an audio file; None for what is no audio."""
    import av

    try:
        with av.open(io.BytesIO(body)) as container:
            frames = container.decode(audio=0)
            return round(sum(1000 * frame.samples / frame.sample_rate for frame in frames))
    except (av.FFmpegError, IndexError):
        return None


# What a hostile provider makes of a good answer; a number or text of the same kind stands elsewhere for each provider.


def _everywhere(value: Any, keys: set[str], change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {
            name: change(inner)
            if name in keys and not isinstance(inner, dict | list)
            else _everywhere(inner, keys, change)
            for name, inner in value.items()
        }
    return [_everywhere(inner, keys, change) for inner in value] if isinstance(value, list) else value


def _negative(time: Any) -> Any:
    return f"-{time}" if isinstance(time, str) else -time - 1


def _inverted(time: Any) -> Any:
    return f"{max(0.0, 100 - float(time[:-1]))}s" if isinstance(time, str) else 100_000 - time


def _endless(time: Any) -> Any:
    return "1e999s" if isinstance(time, str) else math.inf


HOSTILE: dict[str, Callable[[Any], Any]] = {
    "negative_times": lambda answer: _everywhere(answer, TIME_KEYS, _negative),
    "inverted_times": lambda answer: _everywhere(answer, TIME_KEYS, _inverted),
    "not_a_number": lambda answer: _everywhere(answer, TIME_KEYS, lambda _: math.nan),
    "endless": lambda answer: _everywhere(answer, TIME_KEYS, _endless),
    "script": lambda answer: _everywhere(answer, TEXT_KEYS, lambda _: SCRIPT),
    "numbers_for_text": lambda answer: _everywhere(answer, TEXT_KEYS, lambda _: 7),
    "text_for_times": lambda answer: _everywhere(answer, TIME_KEYS, lambda _: "soon"),
    "null": lambda _: None,
    "list": lambda answer: [answer],
    "nothing": lambda _: {},
    "deep": lambda _: _nested(900),
}


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value

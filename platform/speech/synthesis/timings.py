"""When each word or sentence of a text is said: from the engines' marks of its parts to one list. Pure.

A mark tells only where something begins, so each ends where the next one begins, and the last one with the audio.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from speech.engines.speaking import Mark, Timing
from speech.synthesis.pronouncing import Swap
from speech.transcript import Segment, Transcript, Word, assemble, clean_text, is_unspaced


@dataclass(frozen=True, slots=True)
class Timed:
    """`text[start:end]` is said from `start_ms` to `end_ms` of the audio."""

    start: int
    end: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class TimedPart:
    """What an engine told of one part: it begins at a character of the text as it is said, and at a time."""

    start: int
    start_ms: int
    end_ms: int
    marks: Sequence[Mark]


def joined(parts: Sequence[TimedPart]) -> list[Mark]:
    """The parts' marks as marks of the whole text, in order; none is later than the end of its part."""
    return [
        Mark(part.start + mark.start, min(part.start_ms + mark.at_ms, part.end_ms))
        for part in parts
        for mark in part.marks
    ]


def as_sent(marks: Sequence[Mark], swaps: Sequence[Swap]) -> list[Mark]:
    """Places of the text as it is said, as places of the text as it was sent: within a term, at its beginning.

    >>> [mark.start for mark in as_sent([Mark(0, 0), Mark(4, 9), Mark(7, 20)], [Swap(0, 3, 0, 6)])]
    [0, 0, 4]
    """
    return [Mark(_as_sent(mark.start, swaps), mark.at_ms) for mark in marks]


def _as_sent(place: int, swaps: Sequence[Swap]) -> int:
    before = [swap for swap in swaps if swap.said_start <= place]
    if not before:
        return place
    last = before[-1]
    return last.start if place < last.said_end else place - last.said_end + last.end


def timed(text: str, marks: Sequence[Mark], *, kind: Timing, duration_ms: int) -> list[Timed]:
    """The whole text in order, nothing left out but white space, times never running back.

    Where an engine marks several words as one, their time is shared out by letters.

    >>> [(one.start, one.end, one.start_ms, one.end_ms)
    ...  for one in timed("One, two three.", [Mark(0, 0), Mark(5, 400)], kind="word", duration_ms=1_200)]
    [(0, 4, 0, 400), (5, 8, 400, 666), (9, 15, 666, 1200)]
    """
    found: list[Timed] = []
    begun = _begun(text, marks, duration_ms=duration_ms)
    for mark, following in zip(begun, [*begun[1:], Mark(len(text), duration_ms)], strict=True):
        found += _stretch(text, mark, following, whole=kind == "sentence")
    return found


def _begun(text: str, marks: Sequence[Mark], *, duration_ms: int) -> list[Mark]:
    """Marks at beginnings of words, each place once, at its first time; the first one stands for all before it too."""
    begun, end = [Mark(0, 0)], len(text.rstrip())
    for mark in marks:
        start, at_ms = _beginning(text, mark.start), min(mark.at_ms, duration_ms)
        goes_on = begun[-1].start < start < end and begun[-1].at_ms <= at_ms
        if goes_on and text[begun[-1].start : start].strip():
            begun.append(Mark(start, at_ms))
    return begun


def _beginning(text: str, place: int) -> int:
    """Back over what is written together with the place: opening quotes, the R of R&D."""
    while 0 < place < len(text) and not (
        text[place - 1].isspace() or is_unspaced(text[place - 1]) or is_unspaced(text[place])
    ):
        place -= 1
    return place


def _stretch(text: str, mark: Mark, following: Mark, *, whole: bool) -> Iterator[Timed]:
    pattern = r"\S(?:.*\S)?" if whole else r"\S+"
    found = re.finditer(pattern, text[mark.start : following.start], re.DOTALL)
    pieces = [(piece.start(), piece.end()) for piece in found]
    letters, done = sum(end - start for start, end in pieces), 0
    for start, end in pieces:
        begins, done = done, done + end - start
        length_ms = following.at_ms - mark.at_ms
        yield Timed(
            mark.start + start, mark.start + end, mark.at_ms + length_ms * begins // letters,
            mark.at_ms + length_ms * done // letters,
        )  # fmt: skip


def as_transcript(text: str, found: Sequence[Timed], *, kind: Timing, language: str, duration_ms: int) -> Transcript:
    """What captions are made from: a segment for each sentence, or one with all words."""
    if kind == "sentence":
        segments = [Segment(0, one.start_ms, one.end_ms, clean_text(text[one.start : one.end])) for one in found]
    else:
        words = tuple(Word(clean_text(text[one.start : one.end]), one.start_ms, one.end_ms) for one in found)
        segments = [Segment(0, 0, duration_ms, clean_text(text), words)]
    return assemble(segments, language=language, duration_ms=duration_ms)


def to_json(found: Sequence[Timed], *, kind: Timing, duration_ms: int) -> dict[str, Any]:
    """A compact JSON value without text; `from_json` reads its list."""
    rows = [[one.start, one.end, one.start_ms, one.end_ms] for one in found]
    return {"version": 1, "kind": kind, "duration_ms": duration_ms, "timings": rows}


def from_json(value: dict[str, Any]) -> list[Timed]:
    """The list stored by `to_json`."""
    return [Timed(*row) for row in value["timings"]]

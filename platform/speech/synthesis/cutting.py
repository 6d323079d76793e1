"""Long text in parts that engines take: cut after sentences, clauses or words, never inside a character. Pure."""

# ruff: noqa: RUF001 - the full-width marks of Chinese and Japanese are meant

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from speech.captions.graphemes import graphemes

# Where a voice may pause, best first: a text ends, a sentence ends, a clause ends, a word ends.
_BREAKS: Final = (
    re.compile(r"\n\s*\n|\n"),
    re.compile(r"(?<=[.!?…。！？])[\"'”’)\]」』）]*(?:\s+|(?=[^\x00-\x7f]))"),
    re.compile(r"(?<=[,;:、，；：])\s*"),
    re.compile(r"\s+"),
)
LEAST_FILL: Final = 0.3  # a better kind of break may not leave a part emptier than that


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the text: `text` is `whole[start:end]`."""

    start: int
    end: int
    text: str


def cut(text: str, *, max_chars: int) -> list[Part]:
    """Parts in order that are the whole text, each at most `max_chars` code points.

    >>> [part.text for part in cut("One two. Three four. Five.", max_chars=12)]
    ['One two. ', 'Three four. ', 'Five.']
    """
    parts, start = [], 0
    while start < len(text):
        end = start + _length(text[start : start + max_chars + 1], max_chars=max_chars)
        parts.append(Part(start, end, text[start:end]))
        start = end
    return parts


def _length(window: str, *, max_chars: int) -> int:
    if len(window) <= max_chars:
        return len(window)
    for pattern in _BREAKS:
        ends = [found.end() for found in pattern.finditer(window) if LEAST_FILL * max_chars <= found.end() <= max_chars]
        if ends:
            return ends[-1]
    return _whole_graphemes(window, max_chars=max_chars)


def _whole_graphemes(window: str, *, max_chars: int) -> int:
    """As many whole characters as fit; a single one larger than the limit is cut all the same."""
    length = 0
    for cluster in graphemes(window):
        if length + len(cluster) > max_chars:
            break
        length += len(cluster)
    return length or max_chars

"""Long text in parts that engines take: cut after sentences, clauses or words, never inside a character. Pure."""

# ruff: noqa: RUF001 - the full-width marks of Chinese and Japanese are meant

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
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


def cut(text: str, *, max_chars: int, fits: Callable[[str], bool] | None = None) -> list[Part]:
    """Parts in order that are the whole text, each at most `max_chars` code points and one that `fits`.

    What begins a text that fits must fit as well.

    >>> [part.text for part in cut("One two. Three four. Five.", max_chars=12)]
    ['One two. ', 'Three four. ', 'Five.']
    >>> [part.text for part in cut("하나 둘. 셋.", max_chars=12, fits=lambda text: len(text.encode()) <= 12)]
    ['하나 둘. ', '셋.']
    """
    parts, start = [], 0
    while start < len(text):
        room = _room(text[start : start + max_chars], fits=fits)
        end = start + _length(text[start : start + room + 1], max_chars=room)
        parts.append(Part(start, end, text[start:end]))
        start = end
    return parts


def _room(window: str, *, fits: Callable[[str], bool] | None) -> int:
    """How many code points of the window fit; one always goes, or there would be no end."""
    if fits is None or fits(window):
        return len(window)
    return max(1, bisect_left(range(1, len(window)), True, key=lambda length: not fits(window[:length])))


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

"""From a window's tokens to segments of the transcript. Pure.

Times in the tokens come in pairs and in steps of 20 ms; what stands behind the last of them ends with the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from speech.transcript import Segment, Word, clean_text
from speech.whisper.windows import Timed

STEP_MS: Final = 20


@dataclass(slots=True)
class Stretch:
    """Text tokens between two times, in ms of the window."""

    start_ms: int
    end_ms: int
    tokens: list[int] = field(default_factory=list)


def stretches(tokens: Iterable[int], *, begin: int, length_ms: int) -> list[Stretch]:
    """The stretches with text.

    >>> [(s.start_ms, s.end_ms, s.tokens) for s in stretches([100, 1, 2, 150, 175, 3], begin=100, length_ms=5000)]
    [(0, 1000, [1, 2]), (1500, 5000, [3])]
    """
    found = [Stretch(0, length_ms)]
    for token in tokens:
        if token < begin:
            found[-1].tokens.append(token)
            continue
        place = min((token - begin) * STEP_MS, length_ms)
        if found[-1].tokens:
            found[-1].end_ms = place
            found.append(Stretch(place, length_ms))
        else:
            found[-1].start_ms = place
    return [stretch for stretch in found if stretch.tokens]


def segments(
    found: Sequence[Stretch], *, words: Sequence[Timed], decode: Callable[[list[int]], str], offset_ms: int
) -> Iterator[Segment]:
    """Segments with clean text, `offset_ms` on; a half character at a cut end is left out with its bytes."""
    left = iter(words)
    for stretch in found:
        own = list(_words(left, tokens=len(stretch.tokens), offset_ms=offset_ms)) if words else []
        start, end = stretch.start_ms + offset_ms, stretch.end_ms + offset_ms
        yield Segment(0, start, max(start, end), clean_text(decode(stretch.tokens)), tuple(own))


def _words(left: Iterator[Timed], *, tokens: int, offset_ms: int) -> Iterator[Word]:
    """The next words, of so many tokens together; what follows without a space belongs to the word before it."""
    pending: list[Timed] = []
    while tokens > 0:
        timed = next(left, None)
        if timed is None:
            break
        tokens -= timed.tokens
        if pending and timed.text.startswith(" "):
            yield from _joined(pending, offset_ms=offset_ms)
            pending = []
        pending.append(timed)
    yield from _joined(pending, offset_ms=offset_ms)


def _joined(parts: Sequence[Timed], *, offset_ms: int) -> Iterator[Word]:
    text = clean_text("".join(part.text for part in parts))
    if text:
        start, end = round(parts[0].start_s * 1000), round(parts[-1].end_s * 1000)
        chance = min(max(min(part.probability for part in parts), 0.0), 1.0)
        yield Word(text, start + offset_ms, max(start, end) + offset_ms, chance)

"""When captions appear and disappear. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from speech.captions.tokens import Token

LATE_MS: Final = 2_000  # as much as a caption may come after its words, when others were still being said


@dataclass(frozen=True, slots=True)
class Pace:
    """Shortest and longest time on screen, and the speed of reading."""

    min_cue_ms: int
    max_cue_ms: int
    max_chars_per_s: int


def times(cues: Sequence[Sequence[Token]], *, pace: Pace) -> list[tuple[int, int]]:
    """Start and end of each caption in ms: in order, never overlapping, never empty.

    A caption stays as long as it takes to read, if the next one leaves room. Where two speak at once, the next one
    waits while the words of this one are still being said and read, but never long.
    """
    found: list[tuple[int, int]] = []
    free_ms = 0
    for place, cue in enumerate(cues):
        start_ms = max(cue[0].start_ms, free_ms)
        next_ms = cues[place + 1][0].start_ms if place + 1 < len(cues) else None
        said_ms = max(token.end_ms for token in cue) + start_ms - cue[0].start_ms
        read_ms = start_ms + _reading_ms(cue, pace=pace)
        end_ms = min(max(said_ms, read_ms), start_ms + pace.max_cue_ms)
        if next_ms is not None:
            end_ms = min(end_ms, max(next_ms, min(said_ms, read_ms, next_ms + LATE_MS)))
        free_ms = max(end_ms, start_ms + 1)
        found.append((start_ms, free_ms))
    return found


def _reading_ms(cue: Sequence[Token], *, pace: Pace) -> int:
    letters = sum(token.length for token in cue)
    return max(pace.min_cue_ms, -(-letters * 1000 // pace.max_chars_per_s))

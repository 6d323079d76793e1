"""When captions appear and disappear. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from speech.captions.tokens import Token


@dataclass(frozen=True, slots=True)
class Pace:
    """Shortest and longest time on screen, and the speed of reading."""

    min_cue_ms: int
    max_cue_ms: int
    reading_chars_per_s: int


def times(cues: Sequence[Sequence[Token]], *, pace: Pace) -> list[tuple[int, int]]:
    """Start and end of each caption in ms: in order, never overlapping, never empty.

    A caption stays as long as it takes to read, if the next one leaves room.
    """
    found: list[tuple[int, int]] = []
    free_ms = 0
    for place, cue in enumerate(cues):
        start_ms = max(cue[0].start_ms, free_ms)
        next_ms = cues[place + 1][0].start_ms if place + 1 < len(cues) else None
        wanted_ms = max(cue[-1].end_ms, start_ms + _reading_ms(cue, pace=pace))
        end_ms = min(wanted_ms, start_ms + pace.max_cue_ms)
        if next_ms is not None:
            end_ms = min(end_ms, next_ms)
        free_ms = max(end_ms, start_ms + 1)
        found.append((start_ms, free_ms))
    return found


def _reading_ms(cue: Sequence[Token], *, pace: Pace) -> int:
    letters = sum(token.length for token in cue)
    return max(pace.min_cue_ms, letters * 1000 // pace.reading_chars_per_s)

"""Where to cut long audio: at the quietest places, so that no word is cut in two. Pure; needs only the levels."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from speech.audio.levels import LEVEL_MS, SILENCE_LEVEL, Levels

# Half the frames on each side of a border, judged together: 80, 160 and 320 ms. The wide look finds a breath between
# two words and not the gap inside a plosive; the narrow one finds the border where people speak without a pause.
HALF_LOOKS_FRAMES: Final = (2, 4, 8)
FAR_PENALTY: Final = 20.0  # tenths of a decibel at the window's edge: a cut near the target wins unless 2 dB louder


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the audio; `silent` when nothing in it is louder than -60 dBFS."""

    start_ms: int
    end_ms: int
    silent: bool = False

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms


def plan_segments(
    levels: Levels,
    *,
    duration_ms: int,
    target_ms: int,
    max_ms: int,
    min_ms: int | None = None,
    start_ms: int = 0,
    end_ms: int | None = None,
) -> tuple[Span, ...]:
    """Consecutive spans that cover the wanted range exactly once, each at most `max_ms` and 1.5 x `target_ms` long.

    The range is `start_ms` to `end_ms` of the audio (default: all of it); spans count from the start of the audio.
    No span is shorter than `min_ms` (default: a quarter of the target) unless the whole range is.

    >>> plan_segments(np.zeros(250, dtype=np.int16), duration_ms=5000, target_ms=2000, max_ms=3000)[0]
    Span(start_ms=0, end_ms=2000, silent=False)
    """
    min_ms = target_ms // 4 if min_ms is None else min_ms
    if not 0 < 2 * min_ms <= target_ms <= max_ms:
        raise ValueError("segments need 0 < 2 * min_ms <= target_ms <= max_ms")
    end_ms = duration_ms if end_ms is None else end_ms
    if not 0 <= start_ms <= end_ms <= duration_ms:
        raise ValueError("a range of audio needs 0 <= start_ms <= end_ms <= duration_ms")
    max_ms = min(max_ms, target_ms * 3 // 2)
    loudness = _smoothed(levels)
    cuts = [start_ms]
    while end_ms - cuts[-1] > max_ms:
        cuts.append(_cut_after(cuts[-1], loudness, end_ms=end_ms, bounds=(min_ms, target_ms, max_ms)))
    if end_ms > cuts[-1]:
        cuts.append(end_ms)
    return tuple(
        Span(start_ms, end_ms, silent=_is_silent(levels, start_ms=start_ms, end_ms=end_ms))
        for start_ms, end_ms in pairwise(cuts)
    )


def is_all_silent(spans: tuple[Span, ...]) -> bool:
    """True when no span holds a sound, also for no spans at all."""
    return all(span.silent for span in spans)


def _cut_after(start_ms: int, loudness: npt.NDArray[np.float32], *, end_ms: int, bounds: tuple[int, int, int]) -> int:
    min_ms, target_ms, max_ms = bounds
    earliest_ms = start_ms + max(min_ms, target_ms // 2)
    latest_ms = min(start_ms + max_ms, end_ms - min_ms)  # never leave a crumb at the end
    first, last = -(-earliest_ms // LEVEL_MS), latest_ms // LEVEL_MS
    window = loudness[first : last + 1]
    if len(window) == 0:  # the window lies between two levels, or the levels are shorter than the audio
        return min(start_ms + target_ms, latest_ms)
    places = np.arange(first, first + len(window), dtype=np.float32) * LEVEL_MS
    reach_ms = max(target_ms - (earliest_ms - start_ms), latest_ms - start_ms - target_ms, LEVEL_MS)
    distance = np.abs(places - (start_ms + target_ms)) / reach_ms
    return (first + int(np.argmin(window + FAR_PENALTY * distance))) * LEVEL_MS


def _smoothed(levels: Levels) -> npt.NDArray[np.float32]:
    """How loud it is around each *border* between two levels, index = border: the mean of the three looks."""
    if len(levels) == 0:
        return np.zeros(0, dtype=np.float32)
    looks = [_means(levels, half=half) for half in HALF_LOOKS_FRAMES]
    mean: npt.NDArray[np.float32] = (sum(looks[1:], start=looks[0]) / len(looks)).astype(np.float32)
    return mean


def _means(levels: Levels, *, half: int) -> npt.NDArray[np.float64]:
    """The mean of `half` levels on each side of each border; beyond the ends the outermost level goes on."""
    sums = np.cumsum(np.pad(levels.astype(np.float64), (half + 1, half), mode="edge"))
    means: npt.NDArray[np.float64] = (sums[2 * half :] - sums[: -2 * half]) / (2 * half)
    return means


def _is_silent(levels: Levels, *, start_ms: int, end_ms: int) -> bool:
    part = levels[start_ms // LEVEL_MS : -(-end_ms // LEVEL_MS)]
    return len(part) == 0 or int(part.max()) < SILENCE_LEVEL

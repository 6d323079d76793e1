"""How much of a stretch holds speech, told from its loudness alone. Pure; needs only the levels.

Speech is what stands out from the quiet around it, in bursts longer than a click; gaps as short as those inside of
words belong to it. The noise floor is taken from the surroundings, so that a fan or a hissing line does not count.
Steady sounds (noise, hum, a tone, silence) have no quiet to stand out from: share 0. It cannot tell what else comes and
goes as speech does: music with a beat, typing, a dial tone. Measured: read speech 0.79 to 0.93, at 10 dB above noise
0.69 to 0.89, silence and steady sounds 0.
"""

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from speech.audio.levels import LEVEL_MS, Levels

CONTEXT_FRAMES: Final = 500  # 10 s on both sides: a floor is only seen where somebody pauses
WINDOW_FRAMES: Final = 1500  # 30 s share one floor; longer stretches may change their room or line
FLOOR_PERCENT, LOUD_PERCENT = 10, 95
STEADY_RANGE: Final = 80  # tenths of a decibel between floor and loud: noise 10, hum and fans 40, whispering 120
ABOVE_FLOOR: Final = 60
BELOW_LOUD: Final = 220  # what is weaker is breath or room; weak consonants are bridged as gaps
QUIETEST_SPEECH: Final = -550
GAP_FRAMES: Final = 12  # 240 ms: the closure of a plosive, a breath inside a phrase
BURST_FRAMES: Final = 3  # 60 ms: shorter is a click


def speech_share(levels: Levels, *, start_ms: int, end_ms: int) -> float:
    """The share, 0 to 1, of the range that holds speech; the levels are those of the whole audio.

    >>> speech_share(np.full(500, -200, dtype=np.int16), start_ms=0, end_ms=10_000)
    0.0
    """
    first, last = start_ms // LEVEL_MS, min(-(-end_ms // LEVEL_MS), len(levels))
    if first >= last:
        return 0.0
    starts = range(first, last, WINDOW_FRAMES)
    return sum(_speech_frames(levels, first=at, last=min(at + WINDOW_FRAMES, last)) for at in starts) / (last - first)


def _speech_frames(levels: Levels, *, first: int, last: int) -> int:
    before = max(0, first - CONTEXT_FRAMES)
    around = levels[before : last + CONTEXT_FRAMES]
    floor, loud = np.percentile(around, (FLOOR_PERCENT, LOUD_PERCENT))
    if loud - floor < STEADY_RANGE:
        return 0
    speech = around >= max(floor + ABOVE_FLOOR, loud - BELOW_LOUD, QUIETEST_SPEECH)
    whole = _without_short(_without_short(speech, value=False, frames=GAP_FRAMES), value=True, frames=BURST_FRAMES)
    return int(np.count_nonzero(whole[first - before : last - before]))


def _without_short(marks: npt.NDArray[np.bool_], *, value: bool, frames: int) -> npt.NDArray[np.bool_]:
    """The marks with every run of `value` that is shorter than `frames` turned; runs at the ends stay."""
    borders = np.flatnonzero(np.diff(marks)) + 1
    turned = marks.copy()
    for start, end in pairwise(borders):
        if end - start < frames and marks[start] == value:
            turned[start:end] = not value
    return turned

"""How much of a recording is speech: measured on real clips, on silence, and on what is loud and no speech."""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from speech.audio.levels import LEVEL_MS, Levels, levels_of
from speech.audio.speech_share import speech_share

Samples = npt.NDArray[np.float64]
RANDOM = np.random.default_rng(5)
TIMES_S = np.arange(160_000) / 16_000

STEADY = {
    "digital silence": np.zeros(160_000),
    "dither": RANDOM.normal(0, 2, 160_000),
    "a quiet room": RANDOM.normal(0, 20, 160_000),
    "white noise": RANDOM.normal(0, 3000, 160_000),
    "a tone": 8000 * np.sin(2 * np.pi * 440 * TIMES_S),
    "a swelling chord": 3000 * np.sin(2 * np.pi * 220 * TIMES_S) * (1 + 0.4 * np.sin(TIMES_S)),
}


def _share(samples: Samples) -> float:
    levels = levels_of(np.clip(samples, -32768, 32767).astype(np.int16))
    return speech_share(levels, start_ms=0, end_ms=len(levels) * LEVEL_MS)


@pytest.fixture(scope="module")
def clips(speech_clips: list[Path]) -> list[Samples]:
    found = []
    for clip in speech_clips:
        if clip.suffix == ".wav":
            with wave.open(str(clip)) as file:
                found.append(np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64))
    return found


def test_read_speech_is_mostly_speech(clips: list[Samples]) -> None:
    shares = [_share(clip) for clip in clips]

    assert all(0.6 <= share <= 0.95 for share in shares), shares


def test_speech_in_noise_is_still_found(clips: list[Samples]) -> None:
    shares = [_share(clip + RANDOM.normal(0, clip.std() / 10**0.5, len(clip))) for clip in clips]

    assert all(0.5 <= share <= 0.95 for share in shares), shares


def test_half_a_recording_is_half_the_share(clips: list[Samples]) -> None:
    for clip in clips:
        for rest in (np.zeros(len(clip)), RANDOM.normal(0, 20, len(clip))):
            assert _share(np.concatenate([clip, rest])) == pytest.approx(_share(clip) / 2, abs=0.08)


def test_the_pauses_between_sentences_do_not_count(clips: list[Samples]) -> None:
    pause = RANDOM.normal(0, 20, 16_000)
    spaced = np.concatenate([part for clip in clips for part in (clip, pause)])
    spoken = sum(_share(clip) * len(clip) for clip in clips)

    assert _share(spaced) == pytest.approx(spoken / len(spaced), abs=0.08)


@pytest.mark.parametrize("samples", STEADY.values(), ids=STEADY.keys())
def test_what_never_pauses_is_no_speech(samples: Samples) -> None:
    assert _share(samples) == 0.0


def test_clicks_are_no_speech() -> None:
    samples = RANDOM.normal(0, 20, 160_000)
    for at in range(0, 160_000, 4_800):
        samples[at : at + 300] = 12_000

    assert _share(samples) < 0.01


def test_each_range_is_judged_by_itself(clips: list[Samples]) -> None:
    speech, pause = np.concatenate(clips), RANDOM.normal(0, 20, 60 * 16_000)
    levels = levels_of(np.concatenate([speech, pause, speech]).astype(np.int16))
    length_ms = len(speech) // 16

    assert speech_share(levels, start_ms=0, end_ms=length_ms) > 0.7
    assert speech_share(levels, start_ms=length_ms + 500, end_ms=length_ms + 59_500) == 0.0
    assert speech_share(levels, start_ms=length_ms + 60_000, end_ms=2 * length_ms + 60_000) > 0.7


@pytest.mark.parametrize(("start_ms", "end_ms"), [(0, 0), (5000, 5000), (90_000, 95_000)])
def test_nothing_holds_no_speech(start_ms: int, end_ms: int) -> None:
    assert speech_share(np.full(500, -200, dtype=np.int16), start_ms=start_ms, end_ms=end_ms) == 0.0


@given(
    levels=hnp.arrays(np.int16, st.integers(0, 4000), elements=st.integers(-1000, 0)),
    start_ms=st.integers(0, 90_000),
    length_ms=st.integers(0, 90_000),
)
def test_a_share_is_always_between_nothing_and_all(levels: Levels, start_ms: int, length_ms: int) -> None:
    assert 0.0 <= speech_share(levels, start_ms=start_ms, end_ms=start_ms + length_ms) <= 1.0

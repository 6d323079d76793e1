"""Nothing is lost or doubled where long audio is cut, with the hearing of the uncut audio as the truth."""

import sys
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from speech.audio.cuts import Span, plan_segments
from speech.audio.levels import LEVEL_SAMPLES, levels_of
from speech.audio.pcm import BYTES_PER_MS, PcmRange
from speech.engines.pocketsphinx import Pocketsphinx
from speech.engines.ports import EngineRequest
from speech.options import Options
from speech.transcript import Word

from .seams import Seams, compared

pytestmark = pytest.mark.timeout(900)  # ten seconds of hearing on a core of its own; others may share the core

Samples = npt.NDArray[np.int16]

PAUSE_LEVEL = -380  # quieter than any sound of the reader, louder than the room
TARGET_MS, MAX_MS = 5_000, 7_500  # far shorter than in use: many cuts in little audio


@dataclass(frozen=True, slots=True)
class Recording:
    """Samples and the words that were read."""

    samples: Samples
    written: tuple[str, ...]

    @property
    def duration_ms(self) -> int:
        return len(self.samples) * 2 // BYTES_PER_MS


class Ear:
    """Hears stretches of one recording, with times from its start."""

    def __init__(self, engine: Pocketsphinx, *, path: Path) -> None:
        self._engine = engine
        self._path = path

    def hear(self, samples: Samples, *, spans: Sequence[Span]) -> list[Word]:
        self._path.write_bytes(samples.tobytes())
        return [word for span in spans for word in self._words(span)]

    def _words(self, span: Span) -> Iterator[Word]:
        pcm = PcmRange(self._path, span.start_ms, span.end_ms)
        for word in self._engine.transcribe(pcm, request=EngineRequest(options=Options(language="en"))).words:
            yield Word(word.text, word.start_ms + span.start_ms, word.end_ms + span.start_ms)


@pytest.fixture(scope="module")
def ear(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ear]:
    engine = Pocketsphinx()
    yield Ear(engine, path=tmp_path_factory.mktemp("seams") / "audio.pcm")
    engine.close()


@pytest.fixture(scope="module")
def readings(speech_clips: list[Path]) -> list[Recording]:
    """One reader's sentences with their natural pauses at both ends."""
    found = [_reading(clip) for clip in speech_clips if clip.suffix == ".wav" and clip.with_suffix(".txt").is_file()]
    if len(found) < 3:
        pytest.skip("no WAV clips with their texts here: set PARLANCE_TEST_AUDIO to a folder with some")
    return found


@pytest.mark.parametrize("rounds", [1, pytest.param(4, marks=pytest.mark.long)])
def test_natural_pauses_are_found_and_no_word_is_lost_or_doubled(
    rounds: int, ear: Ear, readings: list[Recording]
) -> None:
    recording = _joined(readings, rounds=rounds, seed=1)

    (seams,) = _seams(recording, ear=ear, plans=[_planned(recording)])

    assert seams.cuts >= 4 * rounds, seams
    assert (seams.inside, seams.lost_near, seams.doubled) == (0, 0, 0), seams
    assert seams.harm <= 1, seams


@pytest.mark.long
@pytest.mark.parametrize("crowd", ["no pauses", "music", "music and no pauses", "two voices"])
def test_without_pauses_the_cuts_do_far_less_harm_than_cuts_by_the_clock(
    crowd: str, ear: Ear, readings: list[Recording], capsys: pytest.CaptureFixture[str]
) -> None:
    recording = _crowded(_joined(readings, rounds=3, seed=2), crowd=crowd, other=_joined(readings, rounds=3, seed=3))

    planned, by_clock = _seams(recording, ear=ear, plans=[_planned(recording), _by_clock(recording)])

    with capsys.disabled():
        sys.stdout.write(f"\n{crowd}: planned {planned}\n{crowd}: by the clock {by_clock}\n")
    assert planned.inside <= planned.cuts / 3 < by_clock.inside, (planned, by_clock)
    assert planned.doubled <= 0, planned
    assert planned.lost_near <= 1 + planned.words_near * planned.lost_far / planned.words_far, planned
    assert planned.harm <= planned.words_near * 0.2, planned
    assert planned.harm < by_clock.harm, (planned, by_clock)


def test_the_measure_sees_a_cut_word_a_lost_word_and_a_doubled_word() -> None:
    uncut = [Word("one", 0, 400), Word("two", 400, 900), Word("three", 1000, 1500), Word("four", 5000, 5500)]
    written = [word.text for word in uncut]

    clean = compared(uncut, parts=uncut, written=written, cuts=[950])
    assert (clean.inside, clean.lost_near, clean.doubled, clean.harm) == (0, 0, 0, 0)

    harmed = [Word("one", 0, 400), Word("two", 400, 700), Word("two", 710, 900), Word("four", 5000, 5500)]
    found = compared(uncut, parts=harmed, written=written, cuts=[700])
    assert (found.inside, found.lost_near, found.lost_far, found.doubled, found.harm) == (1, 1, 0, 1, 1)


def _crowded(recording: Recording, *, crowd: str, other: Recording) -> Recording:
    samples = _without_pauses(recording.samples) if "no pauses" in crowd else recording.samples
    mixed = samples.astype(np.float64)
    if "music" in crowd:
        mixed += _music(len(samples))
    if crowd == "two voices":
        mixed += 0.15 * np.roll(np.resize(other.samples, len(samples)), 8000)
    return Recording(np.clip(mixed, -32768, 32767).astype(np.int16), recording.written)


def _without_pauses(samples: Samples) -> Samples:
    """No pause is longer than 60 ms: the rest of each is left out."""
    frames = samples[: len(samples) // LEVEL_SAMPLES * LEVEL_SAMPLES].reshape(-1, LEVEL_SAMPLES)
    kept, run = [], 0
    for frame, level in zip(frames, levels_of(samples), strict=False):
        run = run + 1 if level < PAUSE_LEVEL else 0
        if run <= 3:
            kept.append(frame)
    return np.concatenate(kept)


def _music(samples: int) -> npt.NDArray[np.float64]:
    """A chord whose notes swell and fade, 20 dB below the voice."""
    seconds = np.arange(samples) / 16_000
    notes = [np.sin(2 * np.pi * hertz * seconds) for hertz in (196, 247, 294, 392)]
    swell = [1 + 0.5 * np.sin(2 * np.pi * (0.3 + 0.1 * number) * seconds) for number in range(len(notes))]
    total: npt.NDArray[np.float64] = 100 * np.sum(
        [note * much for note, much in zip(notes, swell, strict=True)], axis=0
    )
    return total


def _by_clock(recording: Recording) -> list[Span]:
    starts = range(0, recording.duration_ms, TARGET_MS)
    return [Span(start, min(start + TARGET_MS, recording.duration_ms)) for start in starts]


def _reading(clip: Path) -> Recording:
    with wave.open(str(clip)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return Recording(samples, tuple(clip.with_suffix(".txt").read_text("utf-8").lower().split()))


def _joined(readings: Sequence[Recording], *, rounds: int, seed: int) -> Recording:
    """All sentences in random order, again and again; a whole number of milliseconds."""
    random = np.random.default_rng(seed)
    order = [readings[place] for _ in range(rounds) for place in random.permutation(len(readings))]
    samples = np.concatenate([reading.samples for reading in order])
    whole = len(samples) * 2 // BYTES_PER_MS * BYTES_PER_MS // 2
    return Recording(samples[:whole], tuple(word for reading in order for word in reading.written))


def _seams(recording: Recording, *, ear: Ear, plans: Sequence[Sequence[Span]]) -> list[Seams]:
    uncut = ear.hear(recording.samples, spans=[Span(0, recording.duration_ms)])
    return [
        compared(
            uncut,
            parts=ear.hear(recording.samples, spans=spans),
            written=recording.written,
            cuts=[span.end_ms for span in spans[:-1]],
        )
        for spans in plans
    ]


def _planned(recording: Recording) -> Sequence[Span]:
    levels = levels_of(recording.samples)
    return plan_segments(levels, duration_ms=recording.duration_ms, target_ms=TARGET_MS, max_ms=MAX_MS)

"""A simulated voice: instant, deterministic, and named as simulated. Each word is a beep of its own pitch.

Magic inputs (option `simulate`): transient_error | permanent_error | slow:<milliseconds per part>
"""

from __future__ import annotations

import re
import time
import zlib
from array import array
from collections.abc import Iterator
from functools import lru_cache
from math import pi, sin
from typing import Final

from speech.captions.layout import ends_sentence
from speech.engines.ports import EngineWarning
from speech.engines.speaking import Count, Mark, SpeakingCapabilities, SpokenPart, Tick, Timing, Voice
from speech.synthesis.errors import SpeakFailed
from speech.synthesis.ssml import TAGS, spoken_of

RATE_HZ: Final = 16_000
MS_PER_CHARACTER: Final = 60
PAUSE_MS: Final = 60
AMPLITUDE: Final = 6_000
PITCHES: Final = 12
MAX_SLOW_MS: Final = 600_000
TICK_S: Final = 0.2

CAPABILITIES: Final = SpeakingCapabilities(
    name="simulated",
    max_characters=3_000,
    ssml_tags=TAGS,
    quality="simulated",
    rtfx=5_000.0,
    in_process=True,
    timings=frozenset({"word", "sentence"}),
    warnings=(
        EngineWarning(
            code="simulated_engine",
            detail="These are beeps and no words. Use a live key and a real engine to speak.",
        ),
    ),
)
VOICES: Final = tuple(
    Voice("simulated", name, languages, gender, RATE_HZ)
    for name, languages, gender in (
        ("ada", ("en-us", "en"), "female"),
        ("alan", ("en-gb", "en"), "male"),
        ("sejong", ("ko-kr", "ko"), "male"),
        ("any", ("ja", "zh", "de", "fr", "es", "it", "pt", "ru", "ar", "hi", "th", "el", "he"), "neutral"),
    )
)


class SimulatedVoice:
    """Answers in this process."""

    @property
    def capabilities(self) -> SpeakingCapabilities:
        return CAPABILITIES

    def voices(self) -> tuple[Voice, ...]:
        return VOICES

    def speak(self, part: SpokenPart, *, on_tick: Tick | None = None, on_units: Count | None = None) -> Iterator[bytes]:
        """One chunk for each word."""
        _provoke(part.simulate, on_tick=on_tick)
        text = spoken_of(part.text) if part.is_ssml else part.text
        for word in text.split():
            yield _beep(zlib.crc32(word.encode()) % PITCHES, _length_ms(word, part))

    def takes(self, part: SpokenPart) -> bool:
        """Code points that are spoken."""
        return len(spoken_of(part.text) if part.is_ssml else part.text) <= CAPABILITIES.max_characters

    def marks(
        self, part: SpokenPart, *, kind: Timing, on_tick: Tick | None = None, on_units: Count | None = None
    ) -> list[Mark]:
        """One for each beep, or for each that begins a sentence."""
        text = spoken_of(part.text) if part.is_ssml else part.text
        found, at_ms, begins = [], 0, True
        for word in re.finditer(r"\S+", text):
            if begins or kind == "word":
                found.append(Mark(word.start(), at_ms))
            at_ms += _length_ms(word[0], part) + PAUSE_MS
            begins = ends_sentence(word[0])
        return found

    def close(self) -> None:
        """Nothing is kept."""


def _length_ms(word: str, part: SpokenPart) -> int:
    return len(word) * MS_PER_CHARACTER * 1000 // part.speed_permille


def _provoke(wish: str, *, on_tick: Tick | None) -> None:
    name, _, amount = wish.partition(":")
    if wish in {"transient_error", "permanent_error"}:
        kind = "transient" if wish == "transient_error" else "permanent"
        raise SpeakFailed(kind=kind, code=f"simulated_{wish}", detail="Simulated failure. Remove the simulate option.")  # type: ignore[arg-type]  # one of the two
    if not wish:
        return
    if name != "slow" or not amount.isdecimal() or int(amount) > MAX_SLOW_MS:
        detail = f"The simulate option knows transient_error, permanent_error and slow:<ms up to {MAX_SLOW_MS}>."
        raise SpeakFailed(kind="permanent", code="simulated_unknown", detail=detail)
    until = time.monotonic() + int(amount) / 1000
    while time.monotonic() < until:
        time.sleep(min(TICK_S, max(0.0, until - time.monotonic())))
        if on_tick is not None:
            on_tick()


@lru_cache(maxsize=256)
def _beep(pitch: int, duration_ms: int) -> bytes:
    """A tone that fades in and out, and a pause."""
    count, step = RATE_HZ * duration_ms // 1000, 2 * pi * (300 + 40 * pitch) / RATE_HZ
    edge = RATE_HZ // 200
    samples = array(
        "h", (int(AMPLITUDE * sin(n * step) * min(1.0, n / edge, (count - n) / edge)) for n in range(count))
    )
    return samples.tobytes() + bytes(2 * RATE_HZ * PAUSE_MS // 1000)

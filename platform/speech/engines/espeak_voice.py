"""espeak-ng as an engine: a real voice for a hundred languages that needs no download and no key."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from speech.engines import espeak
from speech.engines.ports import EngineWarning
from speech.engines.speaking import Count, Mark, SpeakingCapabilities, SpokenPart, Tick, Timing, Voice
from speech.synthesis.errors import SpeakFailed
from speech.synthesis.places import Places
from speech.synthesis.ssml import spoken_of

RATE_HZ: Final = 22_050
NORMAL_WPM: Final = 165
CHUNK_BYTES: Final = 16_384
DEADLINE_S: Final = 60.0
NAMES: Final = {"male": "male", "female": "female"}

CAPABILITIES: Final = SpeakingCapabilities(
    name="espeak-ng",
    max_characters=2_000,
    ssml_tags=frozenset({"speak", "p", "s", "break", "emphasis", "prosody", "say-as", "sub", "mark", "voice"}),
    quality="demo",
    rtfx=20.0,
    timings=frozenset({"word", "sentence"}),
    warnings=(
        EngineWarning(
            code="demo_engine",
            detail="Spoken by the built-in engine (espeak-ng): clear, but a robot's voice. Set up a provider's key "
            "for a natural one.",
        ),
    ),
)


class EspeakVoice:
    """Each part is spoken by a process of its own."""

    @property
    def capabilities(self) -> SpeakingCapabilities:
        return CAPABILITIES

    def voices(self) -> tuple[Voice, ...]:
        return _voices()

    def speak(self, part: SpokenPart, *, on_tick: Tick | None = None, on_units: Count | None = None) -> Iterator[bytes]:
        """Samples as the library makes them."""
        process = espeak.start_speaking(part.text, voice=_own_name(part), wpm=_wpm(part), is_ssml=part.is_ssml)
        try:
            yield from _samples(process, on_tick=on_tick)
        finally:
            process.kill()
            process.wait()

    def takes(self, part: SpokenPart) -> bool:
        """Code points that are spoken."""
        return len(spoken_of(part.text) if part.is_ssml else part.text) <= CAPABILITIES.max_characters

    def marks(
        self, part: SpokenPart, *, kind: Timing, on_tick: Tick | None = None, on_units: Count | None = None
    ) -> list[Mark]:
        """The library's own events of the same speech."""
        sent = part.text.strip()  # as the program does before it speaks
        if not sent:
            return []
        try:
            found = espeak.marks(sent, voice=_own_name(part), wpm=_wpm(part), kind=kind, is_ssml=part.is_ssml)
        except espeak.SpeakError as error:
            raise SpeakFailed(kind="transient", code=error.code, detail=error.detail) from None
        text = spoken_of(sent) if part.is_ssml else part.text
        places = Places(sent, is_markup=part.is_ssml, text=text)
        told = ((places.of_byte(len(sent[:place].encode())), sample) for place, sample in found)
        return [Mark(start, sample * 1000 // RATE_HZ) for start, sample in told if start is not None]

    def close(self) -> None:
        """Nothing is kept."""


def _own_name(part: SpokenPart) -> str:
    return part.voice.name.replace(".", "/")


def _wpm(part: SpokenPart) -> int:
    return min(espeak.MAX_WPM, max(espeak.MIN_WPM, NORMAL_WPM * part.speed_permille // 1000))


def _samples(process: subprocess.Popen[bytes], *, on_tick: Tick | None) -> Iterator[bytes]:
    assert process.stdout is not None
    until = time.monotonic() + DEADLINE_S
    with process.stdout as pipe:
        while chunk := pipe.read(CHUNK_BYTES):
            if time.monotonic() > until:
                detail = "Speaking took too long. The part is tried again."
                raise SpeakFailed(kind="transient", code="speech_timeout", detail=detail)
            if on_tick is not None:
                on_tick()
            yield chunk
    _check(process.wait(timeout=DEADLINE_S))


def _check(status: int) -> None:
    if status:
        code, detail = espeak.PROBLEMS.get(status, espeak.PROBLEMS[espeak.SYNTHESIS_FAILED])
        kind = "permanent" if status in {espeak.VOICE_UNKNOWN, espeak.TEXT_EMPTY} else "transient"
        raise SpeakFailed(kind=kind, code=code, detail=detail)  # type: ignore[arg-type]  # one of the two


@lru_cache(maxsize=1)
def _voices() -> tuple[Voice, ...]:
    """The library's own list, asked once per process; named by their first language tag where it is theirs alone."""
    listed = [voice for voice in espeak.voices() if voice.languages]
    firsts = [voice.languages[0] for voice in listed]
    return tuple(
        Voice(
            "espeak-ng",
            voice.languages[0] if firsts.count(voice.languages[0]) == 1 else voice.identifier.replace("/", "."),
            voice.languages,
            NAMES.get(voice.gender, "neutral"),
            RATE_HZ,
        )
        for voice in listed
    )

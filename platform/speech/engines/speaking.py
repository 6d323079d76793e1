"""What Parlance asks of a text-to-speech engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from speech.engines.ports import EngineWarning, Quality, ReportedUnits

Tick = Callable[[], None]
Count = Callable[[ReportedUnits], object]  # is told what a provider counts for a call
Timing = Literal["word", "sentence"]


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice: `id` is `engine/name`; the first of its languages is its own. `sample_rate_hz` is of its samples."""

    engine: str
    name: str
    languages: tuple[str, ...]
    gender: str
    sample_rate_hz: int
    styles: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.engine}/{self.name}"

    def speaks(self, language: str) -> bool:
        """Whether it speaks the language of this tag; the region is a wish, not a condition."""
        return any(known.partition("-")[0] == language.partition("-")[0].lower() for known in self.languages)


@dataclass(frozen=True, slots=True)
class SpeakingCapabilities:
    """What an engine can do. `max_characters` is what it takes at once, as its provider counts them (`takes`).

    `rtfx` is seconds of speech per second; `executor` "" is one of its own on this machine. After `shutdown_date` it
    refuses and names its `replacement`.
    `timings` are those that `marks` can tell; `pays_for_marks`: the provider takes the text's price for them again.
    """

    name: str
    max_characters: int
    ssml_tags: frozenset[str]
    quality: Quality
    rtfx: float
    in_process: bool = False
    executor: str = ""
    speeds_permille: tuple[int, int] = (250, 4000)
    timings: frozenset[Timing] = frozenset()
    pays_for_marks: bool = False
    shutdown_date: date | None = None
    replacement: str = ""
    warnings: tuple[EngineWarning, ...] = ()

    def texts_sent(self, *, timings: bool) -> int:
        """How often its provider takes the price of a text."""
        return 2 if timings and self.pays_for_marks else 1

    def is_retired(self, today: date) -> bool:
        """Whether its provider has shut it down by now."""
        return self.shutdown_date is not None and today >= self.shutdown_date


@dataclass(frozen=True, slots=True)
class SpokenPart:
    """One part of one job as the engine sees it: text, or SSML as a whole document. Speed 1000 is the voice's own.

    `style` is one of the voice's, or "" for how it speaks by itself.
    """

    text: str
    voice: Voice
    is_ssml: bool = False
    language: str = ""
    speed_permille: int = 1000
    style: str = ""
    simulate: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a word or sentence begins: code points into the text, of SSML into its spoken text; ms into the audio."""

    start: int
    at_ms: int


class TextToSpeech(Protocol):
    """An engine."""

    @property
    def capabilities(self) -> SpeakingCapabilities: ...

    def voices(self) -> tuple[Voice, ...]:
        """Every voice it has here."""
        ...

    def speak(self, part: SpokenPart, *, on_tick: Tick | None = None, on_units: Count | None = None) -> Iterator[bytes]:
        """16-bit little-endian mono samples at the voice's rate, as they are made; raises `SpeakFailed`.

        What `on_tick` raises passes through and stops the work. `on_units` hears what the provider counts, by its own
        answer or else by its own rule; an engine here counts nothing.
        """
        ...

    def takes(self, part: SpokenPart) -> bool:
        """Whether a part is short enough for one call, by its provider's own count; what begins one that is, is too."""
        ...

    def marks(
        self, part: SpokenPart, *, kind: Timing, on_tick: Tick | None = None, on_units: Count | None = None
    ) -> list[Mark]:
        """When each word or sentence of the part begins in what `speak` gives, in order; raises `SpeakFailed`.

        Only for what `capabilities.timings` names.
        """
        ...

    def close(self) -> None:
        """Give back connections."""
        ...

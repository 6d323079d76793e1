"""What Parlance asks of a speech-to-text engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from speech.audio.pcm import PcmRange
from speech.transcript import Transcript

Quality = Literal["demo", "simulated", "production"]
Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class EngineWarning:
    """Something every answer of an engine must tell: a stable `code` and a sentence for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do. `languages` None means any; `rtfx` is audio seconds per second of one core or call."""

    name: str
    languages: frozenset[str] | None
    word_timestamps: bool
    diarization: bool
    max_part_ms: int
    quality: Quality
    rtfx: float
    warnings: tuple[EngineWarning, ...] = ()

    def speaks(self, language: str | None) -> bool:
        """Whether a request for `language` (a tag such as "en-GB", or None for any) can be served."""
        if language is None or self.languages is None:
            return True
        return language.partition("-")[0].lower() in self.languages


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """One part of one job as the engine sees it; `options` are the engine's own, by name."""

    language: str | None = None
    word_timestamps: bool = True
    options: Mapping[str, str] = field(default_factory=dict)


class SpeechToText(Protocol):
    """An engine; times in its transcript count from the start of the range it was given."""

    @property
    def capabilities(self) -> Capabilities: ...

    def transcribe(
        self, pcm: PcmRange, *, request: EngineRequest, on_tick: Tick | None = None, tick_s: float = 1.0
    ) -> Transcript:
        """Text and times for `pcm`; raises EngineError. What `on_tick` raises passes through and stops the work."""
        ...

    def close(self) -> None:
        """Give back processes and memory."""
        ...

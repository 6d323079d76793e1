"""What Parlance asks of a speech-to-text engine."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from speech.audio.pcm import PcmRange
from speech.options import Feature, Options
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
    """What an engine can do. `languages` None means any; `rtfx` is audio seconds per second of one core or call.

    Longer audio than `max_part_ms` is cut. `in_process`: it answers at once without a core of its own, so that a
    request may wait for it in the web process.
    """

    name: str
    languages: frozenset[str] | None
    features: frozenset[Feature]
    max_part_ms: int
    quality: Quality
    rtfx: float
    models: tuple[str, ...] = ()
    in_process: bool = False
    warnings: tuple[EngineWarning, ...] = ()

    def speaks(self, language: str | None) -> bool:
        """Whether a request for `language` (a tag such as "en-GB", or None for any) can be served."""
        if language is None or self.languages is None:
            return True
        return language.partition("-")[0].lower() in self.languages

    def lacks(self, needs: Iterable[Feature]) -> list[Feature]:
        """The features among `needs` that it does not have."""
        return sorted(set(needs) - self.features)


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """One part of one job as the engine sees it."""

    options: Options = field(default_factory=Options)

    @property
    def language(self) -> str | None:
        """The language that was named, None when the engine must find it out."""
        return self.options.language


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

"""What the decoder is asked and what it answers; no torch here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

TEMPERATURES: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # whisper's own ladder
MAX_TOKENS: Final = 224  # half of the text positions, as whisper samples


@dataclass(frozen=True, slots=True)
class Wish:
    """How a window is to be read. `language` None: found out, among `languages` if there are any.

    `prompt` are tokens of what was said before or of words to expect. Only the first of `temperatures` is tried when
    there is no other.
    """

    language: str | None = None
    languages: tuple[str, ...] = ()
    task: str = "transcribe"
    prompt: tuple[int, ...] = ()
    timestamps: bool = True
    words: bool = False
    temperatures: tuple[float, ...] = TEMPERATURES
    max_tokens: int = MAX_TOKENS


@dataclass(frozen=True, slots=True)
class Window:
    """Thirty seconds of somebody's audio: `features` [positions, width] are the encoder's, `frames` how many of its
    positions hold audio. What is drawn by chance at temperatures above 0 depends on the `key` alone."""

    key: str
    features: Any
    wish: Wish = field(default_factory=Wish)
    frames: int = 1500


@dataclass(frozen=True, slots=True)
class Timed:
    """A word as it was written, its leading space included; seconds from the window's start."""

    text: str
    tokens: int
    start_s: float
    end_s: float
    probability: float


@dataclass(slots=True)
class Decoded:
    """What a window became: its tokens without the end, and what whisper's thresholds look at."""

    key: str
    language: str
    language_probability: float | None = None  # only where it was found out
    no_speech: float = 0.0
    temperature: float = 0.0
    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0  # of all tokens, the end included
    words: list[Timed] = field(default_factory=list)

    @property
    def avg_logprob(self) -> float:
        """Mean log-probability of a token, as whisper counts it."""
        return self.logprob / (len(self.tokens) + 1)


Ended = Callable[[Decoded], None]

"""Values of the speaking side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from speech.audio.encoding import AudioFormat
from speech.destinations.contracts import NamedDestination
from speech.engines.speaking import Timing
from speech.synthesis.pronouncing import Swap

KIND = "speech"
METER = "characters"
SYNC_CHARACTERS = 4_096  # up to here the answer is the audio itself
NORMAL_SPEED = 1_000  # permille of the voice's own


@dataclass(frozen=True, slots=True)
class SpeechOrder:
    """What is to be said and how, checked and normal; `characters` is what is billed: code points of spoken text.

    `said_as` is the text as the tenant's dictionary wants it said, "" where that is the text itself, and `swaps` where
    the two differ; `asked` what the order itself says of voice, engine, language and rate, for the same order again;
    `others` the voices that take over, in this order, when the provider of the first one fails.
    """

    text: str
    is_ssml: bool
    characters: int
    voice: str
    engine: str
    language: str
    format: AudioFormat
    sample_rate_hz: int
    said_as: str = ""
    swaps: tuple[Swap, ...] = ()
    timings: Timing | None = None
    asked: Mapping[str, str | int | None] = field(default_factory=dict)
    speed_permille: int = NORMAL_SPEED
    style: str = ""
    simulate: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    webhook_url: str | None = None
    destination: NamedDestination | None = None
    delete_after_s: int | None = None
    reuse: bool = True
    reasons: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    waited_for: bool = False
    attempt: int | None = None  # how often an SDK that sends no Idempotency-Key has tried before, if it says so
    traceparent: str = ""

"""How a recording is to be heard: one canonical set of options for every engine. Pure.

`needs` says which of an engine's features the options call for; an engine that lacks one is never taken silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self

Task = Literal["transcribe", "translate"]
SpeakerScope = Literal["recording", "part"]
Feature = Literal[
    "word_timestamps",
    "language_detection",
    "diarization",
    "vocabulary",
    "prompt",
    "profanity_filter",
    "pii_redaction",
    "translation",
]

# What people call them, for sentences.
FEATURES: Final[dict[Feature, str]] = {
    "word_timestamps": "word timestamps",
    "language_detection": "language detection",
    "diarization": "speaker labels",
    "vocabulary": "custom vocabulary",
    "prompt": "a prompt",
    "profanity_filter": "a profanity filter",
    "pii_redaction": "redaction of personal data",
    "translation": "translation to English",
}


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked; the defaults ask for nothing special. Times are milliseconds of the recording."""

    language: str | None = None
    languages: tuple[str, ...] = ()  # candidates for detection
    model: str = ""
    task: Task = "transcribe"
    diarize: bool = False
    speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None
    speaker_scope: SpeakerScope = "recording"
    multichannel: bool = False
    word_timestamps: bool | None = None  # None: where the engine has them
    vocabulary: tuple[str, ...] = ()
    prompt: str = ""
    temperature: str = ""  # a decimal number as it was sent; engines without sampling pass it over
    profanity_filter: bool = False
    redact_pii: tuple[str, ...] = ()
    audio_start_ms: int = 0
    audio_end_ms: int | None = None
    speech_threshold: float | None = None
    simulate: str = ""

    def needs(self) -> frozenset[Feature]:
        """The features an engine must have.

        >>> sorted(Options(diarize=True, prompt="Names: Ada").needs())
        ['diarization', 'prompt']
        """
        asked: dict[Feature, bool] = {
            "word_timestamps": self.word_timestamps is True,
            "language_detection": bool(self.languages),
            "diarization": self.diarize,
            "vocabulary": bool(self.vocabulary),
            "prompt": bool(self.prompt),
            "profanity_filter": self.profanity_filter,
            "pii_redaction": bool(self.redact_pii),
            "translation": self.task == "translate",
        }
        return frozenset(feature for feature, wanted in asked.items() if wanted)

    def to_json(self) -> dict[str, Any]:
        """Only what differs from the defaults, for storing and for comparing.

        >>> Options(language="ko").to_json()
        {'language': 'ko'}
        """
        asked = ((name, getattr(self, name), plain) for name, plain in _DEFAULTS.items())
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value, plain in asked if value != plain
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The options stored by `to_json`; names of other versions are passed over."""
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in stored.items()
            if name in _DEFAULTS
        }
        return cls(**known)


_DEFAULTS: Final = asdict(Options())

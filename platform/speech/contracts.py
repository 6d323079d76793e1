"""Values that cross the border of `speech`, and its errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

KIND = "transcription"
METER = "audio_ms"

# Up to here a file counts as short: it joins the interactive class even when nobody waits for it.
SHORT_AUDIO_MS = 60_000
SHORT_UPLOAD_BYTES = 2_000_000  # a minute of 16 kHz 16-bit mono


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that arrived with the request and stands in the store under an internal key."""

    object_key: str
    filename: str
    content_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TranscriptionOrder:
    """What a customer asks for, checked; exactly one of the three sources is given."""

    upload_id: UUID | None = None
    audio_url: str | None = None
    file: StoredFile | None = None
    engine: str | None = None
    language: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    waited_for: bool = False
    traceparent: str = ""


class SpeechError(Exception):
    """Base of errors of `speech`; `code` is stable, `detail` says what to do.

    SpeechError
    ├── NoEngine        no engine can do what was asked; lists those that come close
    ├── UploadUnusable  the upload is unknown, not there yet, used or expired
    ├── UrlRefused      the audio URL may not be fetched
    └── NotCancelable   the job has ended
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


class NoEngine(SpeechError):
    """No engine can do this."""


class UploadUnusable(SpeechError):
    """The upload cannot be transcribed."""


class UrlRefused(SpeechError):
    """The URL may not be fetched."""


class NotCancelable(SpeechError):
    """There is nothing left to cancel."""

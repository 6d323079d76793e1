"""Values that cross the border of `speech`, and its errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from speech.destinations.contracts import NamedDestination
from speech.options import Options

if TYPE_CHECKING:
    from dispatch.facade import JobRow
    from speech.models import TranscriptionRequest
    from speech.transcript import Transcript
    from tenants.facade import RoutingPolicy

KIND = "transcription"
METER = "audio_ms"
MEDIA = "media"  # the executor that decodes, cuts and joins
PREPARE, TRANSCRIBE, MERGE = "prepare", "transcribe", "merge"  # a job's steps
PREPARE_COST_MS = 500

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
    head: bytes  # its first bytes, to tell at once what is no audio
    content: bytes | None = None  # all of a small one, so that it need not be read again


@dataclass(frozen=True, slots=True)
class TranscriptionOrder:
    """What a customer asks for, checked; exactly one of the three sources is given.

    `route` names the operation for idempotency; `presentation` is how the answer is to look on routes that decide it
    at the request (the OpenAI surface), and says nothing about the hearing.
    """

    upload_id: UUID | None = None
    audio_url: str | None = None
    file: StoredFile | None = None
    engine: str | None = None
    options: Options = field(default_factory=Options)
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    webhook_url: str | None = None
    destination: NamedDestination | None = None
    delete_after_s: int | None = None
    reuse: bool = False
    routing: RoutingPolicy | None = None
    presentation: Mapping[str, Any] = field(default_factory=dict)
    waited_for: bool = False
    streamed: bool = False  # its text is read while it is heard: soon, and by a worker, so that it can be followed
    attempt: int | None = None  # how often an SDK that sends no Idempotency-Key has tried before, if it says so
    traceparent: str = ""
    route: str = "POST /v1/transcriptions"


@dataclass(frozen=True, slots=True)
class Twin:
    """A finished job that was asked the same of the same recording."""

    job: JobRow
    request: TranscriptionRequest
    transcript: Transcript


class SpeechError(Exception):
    """Base of errors of `speech`; `code` is stable, `detail` says what to do, `field` is the wrong one of the request.

    SpeechError
    ├── NoEngine        no engine can do what was asked; lists those that come close
    ├── NotAudio        what was sent is no recording
    ├── UploadUnusable  the upload is unknown, not there yet, used or expired
    ├── UrlRefused      the audio URL may not be fetched
    └── NotCancelable   the job has ended
    """

    def __init__(self, code: str, detail: str, *, field: str | None = None) -> None:
        super().__init__(code)
        self.code, self.detail, self.field = code, detail, field


class NoEngine(SpeechError):
    """No engine can do this."""


class NotAudio(SpeechError):
    """This is no recording."""


class UploadUnusable(SpeechError):
    """The upload cannot be transcribed."""


class UrlRefused(SpeechError):
    """The URL may not be fetched."""


class NotCancelable(SpeechError):
    """There is nothing left to cancel."""

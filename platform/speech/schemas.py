"""What the routes of `speech` take and give, for checking and for OpenAPI."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, field_validator, model_validator

from apikit.facade import Body

Tag = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\w .:/@-]+$")]
NO_NUL = r"^[^\x00]*$"  # PostgreSQL's text and jsonb cannot hold it
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=NO_NUL)]
MetadataValue = Annotated[str, StringConstraints(max_length=500, pattern=NO_NUL)]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
MAX_UPLOAD_BYTES = 5_000_000_000


class UploadIn(Body):
    """A file to come."""

    filename: str = Field(min_length=1, max_length=255, description="Shown again; its ending is not trusted.")
    content_type: str = Field(
        default="application/octet-stream",
        max_length=100,
        pattern=r"^[A-Za-z0-9_.+-]+/[A-Za-z0-9_.+-]+(;[ A-Za-z0-9_.=+-]*)?$",
    )
    size_bytes: int = Field(ge=1, le=MAX_UPLOAD_BYTES, description="Exactly this many bytes may be sent.")
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$", description="Checked on arrival, if given.")

    @field_validator("filename")
    @classmethod
    def _clean(cls, value: str) -> str:
        return clean_filename(value)


class TranscriptionIn(Body):
    """A recording to transcribe: `upload_id`, `audio_url`, or `file` as multipart."""

    upload_id: str | None = Field(default=None, description="An upload whose file has arrived.")
    audio_url: str | None = Field(default=None, max_length=2048, description="An https URL that we fetch once.")
    engine: str | None = Field(default=None, max_length=64, description="A wish; without one the best is taken.")
    language: Language | None = Field(default=None, description="BCP 47 tag of the speech, such as en or ko-KR.")
    metadata: dict[MetadataKey, MetadataValue] = Field(default_factory=dict, max_length=50)
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    simulate: str | None = Field(
        default=None,
        max_length=64,
        pattern=NO_NUL,
        description="Outcome of the simulated engine, such as transient_error.",
    )

    @field_validator("metadata")
    @classmethod
    def _normal(cls, value: dict[str, str]) -> dict[str, str]:
        return {unicodedata.normalize("NFC", key): unicodedata.normalize("NFC", text) for key, text in value.items()}

    @field_validator("tags")
    @classmethod
    def _normal_tags(cls, value: list[str]) -> list[str]:
        return [unicodedata.normalize("NFC", tag) for tag in value]


class JsonTranscriptionIn(TranscriptionIn):
    """The JSON form: exactly one of `upload_id` and `audio_url`."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.upload_id is None) == (self.audio_url is None):
            raise ValueError("give exactly one of upload_id and audio_url, or send the file as multipart field `file`")
        return self


class CostOut(BaseModel):
    """What the job costs: an exact decimal and its ISO 4217 currency."""

    amount: str
    currency: str


class WordOut(BaseModel):
    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = None
    speaker: str | None = None


class SegmentOut(BaseModel):
    """A stretch of speech; its words are those of `words` between its times."""

    id: int
    start_ms: int
    end_ms: int
    text: str
    speaker: str | None = None


class NoticeOut(BaseModel):
    """A warning or error: a stable code and a sentence."""

    code: str
    detail: str


class ProgressOut(BaseModel):
    done_ms: int
    total_ms: int
    percent: int


class TranscriptionOut(BaseModel):
    """A transcription. `text`, `words` and `segments` appear once it is completed."""

    id: str
    object: Literal["transcription"]
    livemode: bool
    status: Literal["queued", "running", "completed", "failed", "canceled"]
    created: str
    started_at: str | None
    finished_at: str | None
    engine: str | None
    quality: Literal["demo", "simulated", "production"] | None
    language: str | None
    duration_ms: int | None
    progress: ProgressOut
    cost: CostOut | None
    filename: str | None
    metadata: dict[str, str]
    tags: list[str]
    routing: dict[str, Any] | None
    warnings: list[NoticeOut]
    error: NoticeOut | None
    text: str | None = None
    words: list[WordOut] | None = None
    segments: list[SegmentOut] | None = None


class TranscriptOut(BaseModel):
    """The transcript alone; times are milliseconds from the start of the recording."""

    text: str
    language: str | None
    duration_ms: int
    segments: list[SegmentOut]
    words: list[WordOut]


class TranscriptionListOut(BaseModel):
    object: Literal["list"]
    data: list[TranscriptionOut]
    has_more: bool
    next_cursor: str | None


class DeletedOut(BaseModel):
    id: str
    object: str
    deleted: Literal[True]


class SignedRequestOut(BaseModel):
    """Send the file with exactly this method, URL and headers; no key is needed."""

    url: str
    method: str
    headers: dict[str, str]


class UploadOut(BaseModel):
    id: str
    object: Literal["upload"]
    livemode: bool
    status: Literal["pending", "completed", "used"]
    filename: str
    content_type: str
    size_bytes: int
    created: str
    expires_at: str
    upload: SignedRequestOut | None = None


def clean_filename(name: str) -> str:
    """The last part of a path, NFC, without control characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:255] or "audio"

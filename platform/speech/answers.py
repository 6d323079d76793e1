"""What the routes of `speech` give, for OpenAPI."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel


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
    channel: int | None = None


class NoticeOut(BaseModel):
    """A warning or error: a stable code and a sentence."""

    code: str
    detail: str


class ProgressOut(BaseModel):
    """How much has been heard: milliseconds of audio, and percent."""

    done_ms: int
    total_ms: int
    percent: int


class QueueOut(BaseModel):
    """A job whose next step waits: its place among the tenant's own jobs there (1 is next), and when it should start.

    `position` 1000 stands for that or more; the estimate is null then, and while no worker is alive. Lists leave
    `queue` null: get the transcription.
    """

    position: int
    estimated_start_at: str | None


class CopyOut(BaseModel):
    """The copy in your bucket: `key` is its place there. `canceled`: the job brought no result."""

    id: str
    status: Literal["pending", "copied", "failed", "canceled"]
    key: str
    error: NoticeOut | None


class TranscriptionOut(BaseModel):
    """A transcription. `text`, `words` and `segments` appear once it is completed.

    A canceled one shows them too, as far as its text had been read before it was canceled; that part is billed.
    """

    id: str
    object: Literal["transcription"]
    livemode: bool
    status: Literal["queued", "running", "completed", "failed", "canceled"]
    created: str
    started_at: str | None
    finished_at: str | None
    delete_after_s: int | None = None
    delete_at: str | None = None
    engine: str | None
    quality: Literal["demo", "simulated", "production"] | None
    model: str | None
    task: Literal["transcribe", "translate"]
    language: str | None
    language_confidence: float | None = None
    duration_ms: int | None
    progress: ProgressOut
    queue: QueueOut | None = None
    reused_from: str | None
    destination: CopyOut | None = None
    url: str
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
    language_confidence: float | None = None
    duration_ms: int
    segments: list[SegmentOut]
    words: list[WordOut]


class RawAnswerOut(BaseModel):
    """What a provider answered for a part of the recording, in its own JSON behind a link that needs no key."""

    object: Literal["raw_answer"]
    start_ms: int
    end_ms: int
    engine: str
    size_bytes: int
    download_url: str
    download_url_expires_at: str


class RawAnswerListOut(BaseModel):
    object: Literal["list"]
    data: list[RawAnswerOut]
    has_more: bool
    next_cursor: str | None


class TranscriptionListOut(BaseModel):
    object: Literal["list"]
    data: list[TranscriptionOut]
    has_more: bool
    next_cursor: str | None


class EngineModelOut(BaseModel):
    """A model of an engine; from `shutdown_date` on it is refused, and `replacement` is the one to ask for."""

    id: str
    model: str
    since: str
    deprecated_at: str | None
    shutdown_date: str | None
    replacement: str | None
    is_offered: bool
    languages: list[str] | None
    max_part_ms: int


class EngineLimitsOut(BaseModel):
    """Longer recordings are cut into parts of at most `max_part_ms` and joined again."""

    max_upload_bytes: int
    max_audio_ms: int
    max_part_ms: int


class EngineHealthOut(BaseModel):
    """Whether the engine's provider answers. One in trouble is tried last, and again by itself."""

    status: Literal["available", "in_trouble"]
    retry_after_s: int | None


class EngineOut(BaseModel):
    """What an engine can do. `languages`: ISO 639 codes, null for any; `region` null: on the operator's machines."""

    id: str
    object: Literal["engine"]
    quality: Literal["demo", "simulated", "production"]
    languages: list[str] | None
    features: dict[str, bool]
    limits: EngineLimitsOut
    region: str | None
    own_credentials: bool
    health: EngineHealthOut
    models: list[EngineModelOut]
    warnings: list[NoticeOut]


class SpeedsOut(BaseModel):
    min: float
    max: float


class SpeakingEngineOut(BaseModel):
    """What an engine that speaks can do; longer text is cut into parts of `max_part_characters` and joined again.

    `region` null: on the operator's machines. `timings_are_billed`: they cost the price of the text again.
    """

    id: str
    object: Literal["speaking_engine"]
    quality: Literal["demo", "simulated", "production"]
    languages: list[str]
    voices: int
    formats: list[str]
    ssml_tags: list[str]
    timings: list[Literal["sentence", "word"]]
    timings_are_billed: bool
    speed: SpeedsOut
    max_part_characters: int
    region: str | None
    health: EngineHealthOut
    shutdown_date: str | None
    replacement: str | None
    is_offered: bool
    warnings: list[NoticeOut]


class EngineListOut(BaseModel):
    """`data` are the engines that hear, `speaking` those that speak."""

    object: Literal["list"]
    data: list[EngineOut]
    has_more: bool
    next_cursor: str | None
    speaking: list[SpeakingEngineOut]


class DeletedOut(BaseModel):
    id: str
    object: str
    url: str
    deleted: Literal[True]


class SignedRequestOut(BaseModel):
    """Send the file with exactly this method, URL and headers; no key is needed."""

    url: str
    method: str
    headers: dict[str, str]


class UploadPartOut(BaseModel):
    """Bytes `start` to `start + size_bytes` of the file. Sent again, a part replaces itself."""

    number: int
    start: int
    size_bytes: int
    status: Literal["pending", "completed"]
    upload: SignedRequestOut | None = None


class UploadOut(BaseModel):
    """`upload` takes a file that comes whole; `parts` are there for one that comes in parts."""

    id: str
    object: Literal["upload"]
    livemode: bool
    status: Literal["pending", "completed", "used", "expired"]
    filename: str
    content_type: str
    size_bytes: int
    created: str
    expires_at: str
    upload: SignedRequestOut | None = None
    parts: list[UploadPartOut] | None = None


class UploadOriginsOut(BaseModel):
    object: Literal["upload_origins"]
    origins: list[str]

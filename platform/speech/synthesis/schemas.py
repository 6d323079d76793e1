"""What the routes of speech take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from apikit.facade import Body
from speech.answers import CopyOut, CostOut, NoticeOut
from speech.audio.encoding import AudioFormat
from speech.engines.speaking import Timing
from speech.schemas import NO_NUL, DeleteAfter, DestinationId, Language, Metadata, Tags


class SpeechIn(Body):
    """Something to say: `text` or `ssml`."""

    text: str | None = Field(default=None, description="Plain text, up to 200,000 characters.")
    ssml: str | None = Field(default=None, description="A <speak> document instead of text.")
    voice: str | None = Field(
        default=None, max_length=128, description="A voice or alias, see /v1/voices; without, by language."
    )
    engine: str | None = Field(default=None, max_length=64)
    language: Language | None = Field(default=None, description="BCP 47 tag; without one, by the text's script.")
    format: AudioFormat = "mp3"
    sample_rate_hz: Annotated[int, Field(ge=8_000, le=48_000)] | None = Field(
        default=None, description="Default: the voice's own rate, or the next one that the format knows."
    )
    speed: Annotated[float, Field(ge=0.25, le=4)] = Field(default=1.0, description="1 is the voice's own speed.")
    style: Annotated[str, Field(pattern="^[a-z][a-z0-9-]{0,31}$")] | None = Field(
        default=None,
        description="One of the voice's `styles`, see /v1/voices; without a voice, one that has it speaks.",
    )
    metadata: Metadata = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    webhook_url: str | None = Field(default=None, max_length=2048)
    destination_id: DestinationId | None = None
    delete_after_s: DeleteAfter = None
    reuse: Literal["auto", "never"] = Field(
        default="auto", description="`auto`: the same text in the same voice is answered from the cache, cheaper."
    )
    timings: Timing | None = Field(
        default=None,
        description="When each word or sentence is said, see /timings and /captions. With Amazon Polly a call of its "
        "own, billed like the speech; /v1/engines tells which engines can.",
    )
    simulate: str | None = Field(default=None, max_length=64, pattern=NO_NUL)


class SpokenAudioOut(BaseModel):
    """The file. `download_url` works without a key until `download_url_expires_at`; every GET makes a new one."""

    content_type: str
    size_bytes: int
    duration_ms: int
    sample_rate_hz: int
    download_url: str | None = None
    download_url_expires_at: str | None = None


class SpeechProgressOut(BaseModel):
    done_characters: int
    total_characters: int
    percent: int


class SpeechOut(BaseModel):
    """A speech job. The text is not in it."""

    id: str
    object: Literal["speech"]
    livemode: bool
    status: Literal["queued", "running", "completed", "failed", "canceled"]
    created: str
    started_at: str | None
    finished_at: str | None
    delete_after_s: int | None = None
    delete_at: str | None = None
    engine: str
    quality: Literal["demo", "simulated", "production"]
    voice: str
    language: str
    characters: int
    format: AudioFormat
    sample_rate_hz: int
    speed: float
    style: str | None = None
    timings: Timing | None
    progress: SpeechProgressOut
    audio: SpokenAudioOut | None
    reused_from: str | None
    destination: CopyOut | None = None
    url: str
    cost: CostOut | None
    metadata: dict[str, str]
    tags: list[str]
    routing: dict[str, Any]
    warnings: list[NoticeOut]
    error: NoticeOut | None


class TimedOut(BaseModel):
    """`text` is the whole text's [start:end] in code points."""

    text: str
    start: int
    end: int
    start_ms: int
    end_ms: int


class SpeechTimingsOut(BaseModel):
    """When each word or sentence is said; each ends where the next one begins. `text` is as sent, without markup."""

    id: str
    object: Literal["speech_timings"]
    kind: Timing
    text: str
    language: str
    duration_ms: int
    data: list[TimedOut]


class SpeechListOut(BaseModel):
    object: Literal["list"]
    data: list[SpeechOut]
    has_more: bool
    next_cursor: str | None


class VoiceOut(BaseModel):
    id: str
    object: Literal["voice"]
    name: str
    engine: str
    quality: Literal["demo", "simulated", "production"]
    languages: list[str]
    gender: str
    styles: list[str]
    aliases: list[str]
    sample_rate_hz: int


class VoiceListOut(BaseModel):
    object: Literal["list"]
    data: list[VoiceOut]
    has_more: bool
    next_cursor: str | None

"""What the audio routes take: OpenAI's fields, and those of our own options as extensions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from apikit.facade import Body
from speech.openai.shapes import ResponseFormat
from speech.schemas import NO_NUL, Term, TranscriptionIn

Granularity = Literal["word", "segment"]
SpeakerName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_NUL)]


class ServerVad(Body):
    """How OpenAI would cut the recording. Accepted and checked; here cuts are made where it is quiet."""

    type: Literal["server_vad"]
    prefix_padding_ms: Annotated[int, Field(ge=0)] = 300
    silence_duration_ms: Annotated[int, Field(ge=0)] = 200
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5


class AudioIn(TranscriptionIn):
    """A recording to transcribe or translate, as OpenAI's SDKs send it. `forms` knows which names a route takes."""

    model: str = Field(
        min_length=1, max_length=128, description="An alias, an engine, or engine/model: GET /v1/models."
    )
    response_format: ResponseFormat = Field(default="json", description="Every format, for every model.")
    temperature: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="Engines without sampling pass it over."
    )
    timestamp_granularities: list[Granularity] = Field(
        default_factory=list, max_length=2, description="With verbose_json only."
    )
    include: list[str] = Field(default_factory=list, description="No engine here has logprobs: refused.")
    chunking_strategy: Literal["auto"] | ServerVad | None = None
    known_speaker_names: list[SpeakerName] = Field(
        default_factory=list, max_length=4, description="Given to the speakers in the order in which they are heard."
    )
    known_speaker_references: list[str] = Field(default_factory=list, description="Not taken: refused.")
    keywords: list[Term] = Field(default_factory=list, max_length=1000, description="The same as vocabulary.")
    stream: bool = Field(default=False, description="Server-sent events while the recording is heard.")
    max_line_chars: Annotated[int, Field(ge=8, le=200)] | None = Field(default=None, description="With srt and vtt.")
    max_lines: Annotated[int, Field(ge=1, le=4)] | None = Field(default=None, description="With srt and vtt.")

"""What the routes of `speech` take, for checking and for OpenAPI."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from apikit.facade import Body
from speech.options import SpeakerScope, Task
from speech.parts import SMALLEST_PART_BYTES
from speech.retention import MAX_S
from speech.routing_schemas import RoutingIn
from tenants.facade import MAX_ORIGINS, is_origin

Tag = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\w .:/@-]+$")]
NO_NUL = r"^[^\x00]*$"  # PostgreSQL's text and jsonb cannot hold it
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=NO_NUL)]
MetadataValue = Annotated[str, StringConstraints(max_length=500, pattern=NO_NUL)]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _normal_pairs(value: dict[str, str]) -> dict[str, str]:
    return {_normal(key): _normal(text) for key, text in value.items()}


def _normal_all(value: list[str]) -> list[str]:
    return [_normal(text) for text in value]


Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=50), AfterValidator(_normal_pairs)]
Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(_normal_all)]

DestinationId = Annotated[str, Field(max_length=64, description="A verified destination: the result is copied there.")]
Term = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_NUL)]
DeleteAfter = Annotated[
    Annotated[int, Field(ge=0, le=MAX_S)] | None,
    Field(
        description="Erase the content so many seconds after the job's end; 0: once it was fetched or delivered, after "
        "an hour at most. The tenant's own setting holds where it is shorter."
    ),
]
PiiKind = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z_]+$")]
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
    part_size_bytes: int | None = Field(
        default=None,
        ge=SMALLEST_PART_BYTES,
        le=1_000_000_000,
        description="Send even a small file in parts of this size, for connections that break; above 100 MB always so.",
    )

    @field_validator("filename")
    @classmethod
    def _clean(cls, value: str) -> str:
        return clean_filename(value)


class UploadOriginsIn(Body):
    """All origins from which pages may send uploads; an empty list takes the last away."""

    origins: list[Annotated[str, StringConstraints(max_length=253)]] = Field(max_length=MAX_ORIGINS)

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            if not is_origin(origin):
                raise ValueError(
                    "write each like https://app.example.com: no path, no wildcard; http for localhost only"
                )
        return value


class OptionsIn(Body):
    """How the recording is to be heard. An engine that cannot do what is asked is never taken silently."""

    language: Language | None = Field(default=None, description="BCP 47 tag of the speech, such as en or ko-KR.")
    languages: list[Language] = Field(
        default_factory=list, max_length=20, description="Candidates for detection, when the language is not known."
    )
    engine: str | None = Field(default=None, max_length=64, description="A wish; without one the best is taken.")
    model: str | None = Field(default=None, max_length=64, description="One of an engine's models; see /v1/engines.")
    task: Task = Field(default="transcribe", description="`translate` gives English text.")
    diarize: bool = Field(default=False, description="Label who speaks.")
    speakers: Annotated[int, Field(ge=1, le=26)] | None = Field(default=None, description="Exactly so many, if known.")
    min_speakers: Annotated[int, Field(ge=1, le=26)] | None = None
    max_speakers: Annotated[int, Field(ge=1, le=26)] | None = None
    speaker_scope: SpeakerScope = Field(
        default="recording",
        description="`part`: when no engine hears the whole recording at once, labels hold within a part only.",
    )
    multichannel: bool = Field(default=False, description="Hear each channel by itself; segments tell their channel.")
    word_timestamps: bool | None = Field(
        default=None, description="true: only engines with times for each word; false: leave the words out."
    )
    vocabulary: list[Term] = Field(default_factory=list, max_length=1000, description="Names and terms to expect.")
    prompt: str | None = Field(default=None, max_length=4000, pattern=NO_NUL, description="Context for the engine.")
    profanity_filter: bool = Field(default=False, description="Hide rude words.")
    redact_pii: list[PiiKind] = Field(
        default_factory=list, max_length=20, description='Kinds of personal data to hide; ["all"] hides every kind.'
    )
    audio_start_ms: int = Field(default=0, ge=0, lt=2**40, description="Hear from here on.")
    audio_end_ms: Annotated[int, Field(ge=1, lt=2**40)] | None = Field(default=None, description="Hear up to here.")
    speech_threshold: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="Refuse a recording with less than this share of speech; nothing is billed then."
    )
    routing: RoutingIn | None = Field(
        default=None, description="Which engines may be taken, and what is to be preferred among them."
    )
    simulate: str | None = Field(
        default=None,
        max_length=2000,
        pattern=NO_NUL,
        description="Outcome of the simulated engine, such as transient_error.",
    )

    @field_validator("vocabulary", "redact_pii")
    @classmethod
    def _normal_terms(cls, value: list[str]) -> list[str]:
        return [unicodedata.normalize("NFC", term).strip() for term in value]

    @field_validator("prompt")
    @classmethod
    def _normal_prompt(cls, value: str | None) -> str | None:
        return unicodedata.normalize("NFC", value) if value else None


class TranscriptionIn(OptionsIn):
    """A recording to transcribe: `upload_id`, `audio_url`, or `file` as multipart."""

    upload_id: str | None = Field(default=None, description="An upload whose file has arrived.")
    audio_url: str | None = Field(default=None, max_length=2048, description="An https URL that we fetch once.")
    metadata: Metadata = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    webhook_url: str | None = Field(
        default=None, max_length=2048, description="Receives this job's events, signed like those of an endpoint."
    )
    destination_id: DestinationId | None = None
    delete_after_s: DeleteAfter = None
    reuse: Literal["auto", "never"] | None = Field(
        default=None,
        description="`auto`: the same recording with the same options is answered from the earlier result, at the "
        "price of a cache hit. Default: the tenant's setting.",
    )


class JsonTranscriptionIn(TranscriptionIn):
    """The JSON form: exactly one of `upload_id` and `audio_url`."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.upload_id is None) == (self.audio_url is None):
            raise ValueError("give exactly one of upload_id and audio_url, or send the file as multipart field `file`")
        return self


def clean_filename(name: str) -> str:
    """The last part of a path, NFC, without control characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:255] or "audio"


def multipart_schema() -> dict[str, Any]:
    """The multipart form for OpenAPI: the file, and every option as a text field."""
    sources = {"upload_id", "audio_url"}
    fields = {name: {"type": "string"} for name in TranscriptionIn.model_fields if name not in sources}
    file = {"type": "string", "format": "binary", "description": "The recording."}
    return {"type": "object", "required": ["file"], "properties": {"file": file, **fields}}

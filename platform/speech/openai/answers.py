"""What OpenAI's routes take and give, for OpenAPI."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from speech.openai.forms import LISTS, OBJECTS, names_of
from speech.openai.schemas import AudioIn
from speech.options import Task


class UsageOut(BaseModel):
    """Seconds of audio heard."""

    type: Literal["duration"]
    seconds: float


class VerboseSegmentOut(BaseModel):
    """A stretch of speech in seconds. Tokens and probabilities are there for OpenAI's SDKs, and empty."""

    model_config = ConfigDict(extra="allow")

    id: int | str
    start: float
    end: float
    text: str
    speaker: str | None = None


class VerboseWordOut(BaseModel):
    word: str
    start: float
    end: float


class JsonOut(BaseModel):
    """`json`, `verbose_json` and `diarized_json`: the longer ones have more of these fields."""

    model_config = ConfigDict(extra="allow")

    text: str
    task: Literal["transcribe", "translate"] | None = None
    language: str | None = None
    duration: float | None = None
    segments: list[VerboseSegmentOut] | None = None
    words: list[VerboseWordOut] | None = None
    usage: UsageOut
    x_parlance: dict[str, Any]


class ModelOut(BaseModel):
    """A model; past its `shutdown_date` it is refused."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    shutdown_date: str | None


class ModelListOut(BaseModel):
    object: Literal["list"]
    data: list[ModelOut]


def _multipart(task: Task) -> dict[str, Any]:
    known = AudioIn.model_json_schema()["properties"]
    fields = {
        f"{name}[]" if name in LISTS else name: _field(name, known[name].get("description")) for name in names_of(task)
    }
    file = {"type": "string", "format": "binary", "description": "The recording."}
    schema = {"type": "object", "required": ["file", "model"], "properties": {"file": file, **fields}}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _field(name: str, description: str | None) -> dict[str, Any]:
    told = {"description": description} if description else {}
    if name in LISTS:
        return {"type": "array", "items": {"type": "string"}, **told}
    return {"type": ["string", "object"] if name in OBJECTS else "string", **told}


def _responses(*media_types: str) -> dict[int, Any]:
    return {200: {"content": {media_type: {"schema": {"type": "string"}} for media_type in media_types}}}


_TEXTS = ("text/plain", "application/x-subrip", "text/vtt")
MULTIPART: dict[Task, Any] = {"transcribe": _multipart("transcribe"), "translate": _multipart("translate")}
RESPONSES: dict[Task, Any] = {
    "transcribe": _responses(*_TEXTS, "text/event-stream"),
    "translate": _responses(*_TEXTS),
}

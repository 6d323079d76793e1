"""How captions may be asked to look, wherever they are given."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Schema
from pydantic import Field

CAPTION_TYPES = {"srt": "application/x-subrip", "vtt": "text/vtt"}
TEXT_TYPES = {"text": "text/plain", **CAPTION_TYPES, "json": "application/json"}


class Captions(Schema):
    """What is left out follows the language."""

    max_line_chars: Annotated[int, Field(ge=8, le=200)] | None = Field(
        default=None, description="Letters on a line as a reader counts them: 42, for ko 16, ja 13, zh 16."
    )
    max_lines: Annotated[int, Field(ge=1, le=4)] | None = Field(default=None, description="Of one caption; 2.")
    min_cue_ms: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, description="A caption stays so long if the next one leaves room; 1000."
    )
    max_cue_ms: Annotated[int, Field(ge=500, le=60_000)] | None = Field(
        default=None, description="No caption stays longer; 7000."
    )
    max_chars_per_s: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None,
        description="Reading speed: a caption stays until it is read, if the next one leaves room; 17, for ko 12, "
        "ja 4, zh 9.",
    )
    word_times: bool | None = Field(
        default=None, description="vtt: each word's time inside the captions, where the engine gave it; false."
    )


def described(*forms: str) -> dict[str, Any]:
    """For the API's document: answers that are text of these formats."""
    return {"responses": {200: {"content": {TEXT_TYPES[form]: {"schema": {"type": "string"}} for form in forms}}}}

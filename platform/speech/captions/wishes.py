"""Which wish goes with which format of a transcript, and what two wishes make no sense together. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from apikit.facade import FieldError, Problem

CAPTIONS: Final = ("srt", "vtt")
FORMATS: Final = {
    "max_line_chars": CAPTIONS, "max_lines": CAPTIONS, "min_cue_ms": CAPTIONS, "max_cue_ms": CAPTIONS,
    "max_chars_per_s": CAPTIONS, "speakers": (*CAPTIONS, "text"), "word_times": ("vtt",), "paragraphs": ("text",),
}  # fmt: skip


def checked(wishes: Mapping[str, Any], *, format: str) -> dict[str, Any]:  # noqa: A002  # the API's own word
    """The wishes that were given (not None); raises a 422 `Problem` for each that the format cannot show.

    >>> checked({"max_lines": 1, "speakers": None}, format="srt")
    {'max_lines': 1}
    """
    given = {name: value for name, value in wishes.items() if value is not None}
    found = [*_unfit(given, format=format), *_contradictions(given)]
    if found:
        raise Problem("invalid_request", 422, f"{found[0].field}: {found[0].detail}", found)
    return given


def _unfit(given: Mapping[str, Any], *, format: str) -> Iterator[FieldError]:  # noqa: A002
    for name in given:
        if format not in FORMATS[name]:
            detail = f"It goes with format={' or '.join(FORMATS[name])}. Leave it out with {format}."
            yield FieldError(name, "contradiction", detail)


def _contradictions(given: Mapping[str, Any]) -> Iterator[FieldError]:
    if given.get("min_cue_ms", 0) > given.get("max_cue_ms", float("inf")):
        yield FieldError("min_cue_ms", "contradiction", "It is longer than max_cue_ms. Swap them.")
    if given.get("paragraphs") is False and given.get("speakers"):
        yield FieldError("speakers", "contradiction", "Speakers begin paragraphs. Leave out paragraphs=false.")

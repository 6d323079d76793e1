"""The fields of a multipart form as OpenAI's SDKs write them: lists as `name[]`, objects as `name[part]`, any order.

The front layer has taken the body apart and dropped the `[]`; names without them mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.http import HttpRequest
from pydantic import ValidationError

from apikit.facade import FieldError, Form, Problem, invalid_fields, read_json, validation_problem
from speech import intake
from speech.openai.schemas import AudioIn
from speech.options import Task

NOT_HERE: Final = frozenset({"audio_url", "upload_id", "reuse", "task"})  # of the native route; the path says the task
NOT_TRANSLATED: Final = frozenset({"language", "languages", "stream"})
LISTS: Final = frozenset(
    {"include", "keywords", "known_speaker_names", "known_speaker_references", "languages", "redact_pii", "tags",
     "timestamp_granularities", "vocabulary"}
)  # fmt: skip
OBJECTS: Final = frozenset({"chunking_strategy", "metadata", "routing"})
LISTS_INSIDE: Final = frozenset({("routing", "allow"), ("routing", "deny"), ("routing", "regions")})
_PART: Final = re.compile(r"^(\w+)\[([^\[\]]+)\]$")


def names_of(task: Task) -> list[str]:
    """The fields that a route takes.

    >>> "stream" in names_of("translate"), "stream" in names_of("transcribe")
    (False, True)
    """
    left_out = NOT_HERE | (NOT_TRANSLATED if task == "translate" else frozenset())
    return [name for name in AudioIn.model_fields if name not in left_out]


def read(request: HttpRequest, *, task: Task) -> tuple[AudioIn, Form]:
    """The checked fields and the form with its file; raises a `Problem` that names every wrong field."""
    form = intake.form_of(request)
    if form is None:
        detail = "Send the recording as multipart/form-data, with the file in the field `file`."
        raise Problem("invalid_multipart", 400, detail)
    if form.file is None:
        detail = "Send the recording as a file in the multipart field `file`."
        raise Problem("invalid_request", 422, detail, [FieldError("file", "missing", detail)])
    values = assembled(form.fields, known=names_of(task))
    try:
        return AudioIn.model_validate(values, strict=False), form
    except ValidationError as error:
        raise validation_problem(error) from None


def assembled(fields: Mapping[str, list[str]], *, known: list[str]) -> dict[str, Any]:
    """Texts, lists of texts and objects from a form's fields; raises a 422 `Problem` for a name that is not known.

    >>> assembled({"a": ["1"], "metadata[x]": ["y"], "tags[0]": ["b"]}, known=["a", "metadata", "tags"])
    {'a': '1', 'metadata': {'x': 'y'}, 'tags': ['b']}
    """
    values: dict[str, Any] = {}
    wrong: list[tuple[list[str], str, str]] = []
    for name, texts in fields.items():
        head, part = _split(name)
        if head not in known:
            wrong.append(
                ([name], "unknown_parameter", f"There is no such field. Fields here: file, {', '.join(known)}.")
            )
        elif head in LISTS:
            values.setdefault(head, []).extend(_items(head, texts))
        elif (head, part) in LISTS_INSIDE:
            wrong.extend(_put(values, head, part=part or "", text=",".join(texts)))
        elif len(texts) > 1 or (part is None and head in values):
            wrong.append(([name], "repeated", "Send it once."))
        elif part is None:
            values[head] = _value(head, texts[0])
        else:
            wrong.extend(_put(values, head, part=part, text=texts[0]))
    if wrong:
        raise invalid_fields(wrong)
    return values


def _split(name: str) -> tuple[str, str | None]:
    """A field's name and the part of it that is meant; only objects and lists have parts."""
    found = _PART.match(name)
    if found is None:
        return name, None
    head, part = found.groups()
    return (head, part) if head in OBJECTS or (head in LISTS and part.isdecimal()) else (name, None)


def _items(name: str, texts: list[str]) -> list[str]:
    if name not in intake.SPLIT_AT_COMMAS:
        return texts
    return [item.strip() for text in texts for item in text.split(",") if item.strip()]


def _value(name: str, text: str) -> Any:
    """An object may come as JSON text in one field, as people write it for curl."""
    if name not in OBJECTS or not text.lstrip().startswith("{"):
        return text
    try:
        return read_json(text)
    except Problem:
        return text  # its type is wrong then, and that is told with the field's name


def _put(values: dict[str, Any], name: str, *, part: str, text: str) -> Iterator[tuple[list[str], str, str]]:
    held = values.setdefault(name, {})
    if isinstance(held, dict) and part not in held:
        held[part] = text
    else:
        yield [name], "repeated", "Send it once: as one text, or in parts."

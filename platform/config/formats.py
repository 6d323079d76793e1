"""What a client needs to know of operations and fields beyond their types: formats, headers, events of streams."""

from __future__ import annotations

import re
from typing import Any, Final

# A field's name says what its text is, on every route alike; an SDK makes dates and decimals of it.
_FORMATS: Final = (
    (re.compile(r"(^|_)(amount|price)$"), "decimal"),
    (re.compile(r"(_at|^created)$"), "date-time"),
    (re.compile(r"_date$"), "date"),
)
IDEMPOTENT: Final = frozenset({"create_transcription", "create_speech"})
# Two of them do no harm: a client that got no answer may ask again without a key.
REPEATABLE: Final = frozenset({"create_upload", "resume_upload", "complete_upload"})
# `Prefer` is no parameter of the document: who tries routes at random would wait at random.
PREFERENCES: Final = {
    "create_transcription": ["wait"], "get_transcription": ["wait"], "get_speech": ["wait"],
    "create_speech": ["respond-async"],
}  # fmt: skip
EVENTS: Final = {
    "stream_transcription": {
        "status": "TranscriptionOut", "progress": "ProgressOut", "segment": "SegmentOut",
        "completed": "TranscriptionOut", "failed": "TranscriptionOut", "canceled": "TranscriptionOut",
        "deleted": "DeletedOut",
    },
}  # fmt: skip
IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[A-Za-z0-9_-]+$"},
    "description": "The same key and request within 24 hours are the same job, billed once.",
}  # fmt: skip


def mark_fields(schemas: dict[str, Any]) -> None:
    """Gives fields that hold a time or an exact decimal their `format`."""
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            for shape in field.get("anyOf", [field]):
                if shape.get("type") == "string" and not {"format", "enum", "const"} & shape.keys():
                    shape |= _format_of(name)


def _format_of(name: str) -> dict[str, str]:
    """
    >>> _format_of("unit_price"), _format_of("finished_at"), _format_of("voice")
    ({'format': 'decimal'}, {'format': 'date-time'}, {})
    """
    return next(({"format": given} for pattern, given in _FORMATS if pattern.search(name)), {})


def mark_operation(operation: dict[str, Any]) -> None:
    """Adds the headers that an operation heeds, and the shapes of its stream's events."""
    name = operation["operationId"]
    if name in IDEMPOTENT:
        operation["parameters"] = [*operation["parameters"], IDEMPOTENCY_KEY]
    if name in REPEATABLE:
        operation["x-repeatable"] = True
    if name in PREFERENCES:
        operation["x-prefer"] = PREFERENCES[name]
    if name in EVENTS:
        shapes = {event: {"$ref": f"#/components/schemas/{shape}"} for event, shape in EVENTS[name].items()}
        operation["responses"]["200"]["content"]["text/event-stream"]["x-events"] = shapes

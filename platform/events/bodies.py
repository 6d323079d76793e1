"""The bytes of an event: made once, stored, signed and sent as they are, and never too many of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

MAX_BODY_BYTES = 20_000  # Standard Webhooks: bodies stay below 20 kB
TOO_LONG, DELETED = "too_long", "deleted"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

# What tells which resource it is and where to get the whole of it.
_KEPT = frozenset({"id", "object", "livemode", "status", "url", "api_url", "omitted"})
# What a customer wrote, or where it led.
_WRITTEN: dict[str, Any] = {"metadata": {}, "tags": [], "filename": None, "destination": None}
_EMPTY: dict[type, Any] = {dict: {}, list: []}


def encode(event_type: str, *, at: datetime, data: Mapping[str, Any]) -> bytes:
    """The body; when it would be too long, `data` loses its largest fields and `omitted` names them.

    >>> data = {"id": "trn_1", "metadata": {"note": "x" * 30_000}, "tags": ["a"]}
    >>> json.loads(encode("transcription.completed", at=datetime(2026, 1, 1), data=data))["data"]
    {'id': 'trn_1', 'metadata': {}, 'tags': ['a'], 'omitted': {'metadata': 'too_long'}}
    """
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = dump({"type": event_type, "timestamp": stamp, "data": data})
    while len(body) >= MAX_BODY_BYTES:
        data = _without_largest(data)
        body = dump({"type": event_type, "timestamp": stamp, "data": data})
    return body


def without_content(event: Mapping[str, Any]) -> bytes:
    """The body of an event whose subject's content was erased: which it was, and what happened.

    >>> event = {"type": "t", "timestamp": "now", "data": {"id": "trn_1", "tags": [], "metadata": {"note": "x"}}}
    >>> json.loads(without_content(event))["data"]
    {'id': 'trn_1', 'tags': [], 'metadata': {}, 'omitted': {'metadata': 'deleted'}}
    """
    data = event["data"]
    for name, empty in _WRITTEN.items():
        if data.get(name):
            data = omitting(data, name, value=empty, reason=DELETED)
    return dump({**event, "data": data})


def dump(body: Mapping[str, Any]) -> bytes:
    """JSON as short as it gets, in UTF-8."""
    return _encode(body).encode()


def omitting(data: Mapping[str, Any], name: str, *, value: Any, reason: str) -> dict[str, Any]:
    """The data with another value for one field, and the reason beside it."""
    return {**data, name: value, "omitted": {**data.get("omitted", {}), name: reason}}


def _without_largest(data: Mapping[str, Any]) -> dict[str, Any]:
    sizes = {name: len(dump({name: value})) for name, value in data.items() if name not in _KEPT and value}
    if not sizes:
        raise ValueError("an event's id and URL alone are too long for its body")
    largest = max(sizes, key=sizes.__getitem__)
    return omitting(data, largest, value=_EMPTY.get(type(data[largest])), reason=TOO_LONG)

"""JSON bodies, read so strictly that no two readers can understand one differently (RFC 8259 §4 and §8.1)."""

from __future__ import annotations

import json
from typing import Any

from apikit.problems import invalid_json


def read_json(body: bytes | str) -> Any:
    """The value of a UTF-8 body; raises a 400 `Problem` for a name given twice, NaN or nesting without end.

    >>> read_json(b'{"a": [1]}')
    {'a': [1]}
    """
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise invalid_json() from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    "".join(found).encode()  # half a surrogate pair could not even be shown in an error
    return found


def _refuse(name: str) -> Any:
    raise ValueError(name)

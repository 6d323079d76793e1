"""Lists: newest first, `limit` and an opaque `cursor`, never a total count."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from apikit.problems import FieldError, Problem

MAX_LIMIT = 100
Row = TypeVar("Row")


def encode_cursor(last_id: UUID) -> str:
    """An opaque cursor: the page continues after this id."""
    return base64.urlsafe_b64encode(last_id.bytes).decode().rstrip("=")


def decode_cursor(cursor: str) -> UUID:
    """The id inside a cursor; raises a 422 `Problem` for anything that this API did not make."""
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=="))
    except ValueError:
        error = FieldError("cursor", "invalid", "Use `next_cursor` of the page before, unchanged.")
        raise Problem("invalid_request", 422, "The cursor is not one that this API gave out.", [error]) from None


def page(
    rows: Sequence[Row], *, limit: int, id_of: Callable[[Row], UUID], shown: Callable[[Row], Any]
) -> dict[str, Any]:
    """The list object from up to `limit + 1` rows: the extra row only tells that there is more."""
    kept = rows[:limit]
    more = len(rows) > limit
    return {
        "object": "list",
        "data": [shown(row) for row in kept],
        "has_more": more,
        "next_cursor": encode_cursor(id_of(kept[-1])) if more else None,
    }


def page_before(rows: Sequence[Row], *, next_before: UUID | None, shown: Callable[[Row], Any]) -> dict[str, Any]:
    """The list object of a reader that tells itself before which id the next page begins, None at the end."""
    return {
        "object": "list",
        "data": [shown(row) for row in rows],
        "has_more": next_before is not None,
        "next_cursor": encode_cursor(next_before) if next_before else None,
    }

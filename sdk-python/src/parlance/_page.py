"""One page of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic

import httpx
from pydantic import ValidationError
from typing_extensions import TypeVar

from parlance._call import is_json, not_json
from parlance._errors import UnexpectedAnswer
from parlance._model import Model

ItemT = TypeVar("ItemT", bound=Model)
ExtraT = TypeVar("ExtraT", bound=Model, default=Model)


@dataclass(frozen=True)
class Page(Generic[ItemT, ExtraT]):
    """`next_cursor` is None on the last one. `extra` holds what this list tells beside its things."""

    data: list[ItemT]
    has_more: bool
    next_cursor: str | None
    extra: ExtraT


def page_of(response: httpx.Response, kind: type[ItemT], extra: type[ExtraT]) -> Page[ItemT, ExtraT]:
    """The answer as a page; raises `UnexpectedAnswer`."""
    try:
        body: dict[str, Any] = response.json()
        body.pop("object", None)
        data = [kind.model_validate(one) for one in body.pop("data")]
        has_more, cursor = bool(body.pop("has_more", False)), body.pop("next_cursor", None)
        return Page(data, has_more, cursor if has_more else None, extra.model_validate(body))
    except (ValidationError, ValueError, KeyError, AttributeError, TypeError):
        if not is_json(response):
            raise not_json(response) from None
        unexpected = UnexpectedAnswer(f"The answer is no list of {kind.__name__}. Is the SDK older than the server?")
        unexpected.request_id = response.headers.get("request-id")
        raise unexpected from None

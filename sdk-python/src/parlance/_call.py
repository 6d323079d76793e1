"""One call of the API as a value: what resources make, and the transport sends."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError
from typing_extensions import TypedDict

from parlance._errors import UnexpectedAnswer
from parlance._model import Model

ModelT = TypeVar("ModelT", bound=Model)


class Omit(Enum):
    """The type of `OMIT`."""

    OMIT = "omit"


OMIT: Final = Omit.OMIT  # a field of a PATCH that stays as it is: there, None means null


class RequestOptions(TypedDict, total=False):
    """What one call may have otherwise than its client."""

    timeout: float | httpx.Timeout
    max_retries: int
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Call:
    """`body=None`: none is sent. A POST may be sent again with an `idempotency_key`, or when it `is_harmless`."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    is_harmless: bool = False
    wait_s: float | None = None
    prefer: str | None = None
    options: RequestOptions | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether sending it twice is the same as once."""
        return self.method != "POST" or self.is_harmless or self.idempotency_key is not None

    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The query as text; what is None is left out."""
        found: list[tuple[str, str]] = []
        for name, value in self.query.items():
            many = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
            found += [(name, _shown(one)) for one in many if one is not None]
        return tuple(found)

    def content(self) -> bytes | None:
        """The body as JSON. What is left out stays out; null is sent by PATCH only."""
        if self.body is None:
            return None
        nothing = OMIT if self.method == "PATCH" else None
        kept = {name: value for name, value in self.body.items() if value is not nothing}
        return json.dumps(kept, default=_json, ensure_ascii=False, separators=(",", ":")).encode()

    def extra_headers(self) -> dict[str, str]:
        """Beside those of the client."""
        found = {name: _shown(value) for name, value in self.headers.items() if value is not None}
        if self.body is not None:
            found["Content-Type"] = "application/json"
        if self.idempotency_key is not None:
            found["Idempotency-Key"] = self.idempotency_key
        if self.wait_s:
            found["Prefer"] = f"wait={int(self.wait_s)}"
        elif self.prefer:
            found["Prefer"] = self.prefer
        return found | dict((self.options or {}).get("headers", {}))


def new_key() -> str:
    """A key for one intended call, the same for all its retries."""
    return f"sdk-{uuid.uuid4().hex}"


def quoted(segment: str) -> str:
    """A path segment; raises ValueError when empty, because the path would be another one.

    >>> quoted("a/../b")
    'a%2F..%2Fb'
    """
    if segment in {"", ".", ".."}:
        raise ValueError("An id must not be empty.")
    return quote(segment, safe="")


def is_json(response: httpx.Response) -> bool:
    return "json" in response.headers.get("content-type", "")


def parse(response: httpx.Response, kind: type[ModelT]) -> ModelT:
    """The answer as this model; raises `UnexpectedAnswer`."""
    try:
        return parse_json(response.content, kind, request_id=response.headers.get("request-id"))
    except UnexpectedAnswer:
        if is_json(response):
            raise
        raise not_json(response) from None


def not_json(response: httpx.Response) -> UnexpectedAnswer:
    """What to say of a page that another server, or a proxy, gave."""
    kind = response.headers.get("content-type", "").partition(";")[0] or "of no type"
    unexpected = UnexpectedAnswer(f"The answer is {kind}, not JSON: no Parlance server gave it. Is base_url right?")
    unexpected.request_id = response.headers.get("request-id")
    return unexpected


def parse_json(text: bytes | str, kind: type[ModelT], *, request_id: str | None = None) -> ModelT:
    """JSON as this model; raises `UnexpectedAnswer`, which quotes no content."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, one["loc"])) or one["type"] for one in error.errors()[:5])
        unexpected = UnexpectedAnswer(f"The answer is no {kind.__name__}: {places}. Is the SDK older than the server?")
        unexpected.request_id = request_id
        raise unexpected from None


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _json(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("A datetime needs a time zone: datetime(..., tzinfo=timezone.utc).")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"A {type(value).__name__} cannot be sent as JSON.")

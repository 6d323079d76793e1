"""Where raw answers are kept while `with_raw_response` runs: in a context variable, so no method needs an argument."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Generic, TypeVar

import httpx

ResultT = TypeVar("ResultT")
captured: ContextVar[list[httpx.Response] | None] = ContextVar("parlance_captured", default=None)


@dataclass(frozen=True)
class RawResponse(Generic[ResultT]):
    """The parsed answer with what came around it."""

    parsed: ResultT
    http_response: httpx.Response

    @property
    def status(self) -> int:
        return self.http_response.status_code

    @property
    def headers(self) -> httpx.Headers:
        return self.http_response.headers

    @property
    def request_id(self) -> str | None:
        found: str | None = self.http_response.headers.get("request-id")
        return found

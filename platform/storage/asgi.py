"""What the blob application needs of ASGI: refusals as problems, header look-ups, work off the event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

P = ParamSpec("P")
T = TypeVar("T")


class Refusal(Exception):
    """An answer that is not a success: RFC 9457 with a stable `code`; `detail` says what to do next."""

    def __init__(self, status: int, *, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})

    def body(self, *, problem_base_url: str, request_id: str) -> bytes:
        """Returns the problem document as JSON."""
        problem = {
            "type": f"{problem_base_url}/problems/{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }
        return json.dumps(problem).encode()


class Disconnected(Exception):
    """The client went away; nobody is left to answer."""


class Body:
    """A request's body as ASGI messages; `finished` once nothing more can come."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.finished = False

    async def next(self) -> Message:
        """Returns the next message; waits for the client."""
        message = await self._receive()
        self.finished = message["type"] != "http.request" or not message.get("more_body", False)
        return message


def header(scope: Scope, name: bytes) -> str | None:
    """Returns the only value of a lower-case header name; None when absent or repeated."""
    values = [value for key, value in scope["headers"] if key == name]
    return values[0].decode("latin-1") if len(values) == 1 else None


async def start(send: Send, *, status: int, headers: Mapping[str, str]) -> None:
    """Sends status and headers."""
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs a blocking call in a thread, and sees it to its end even when the caller is cancelled.

    Otherwise a cancelled upload would clean up a file that a thread is still writing.
    """
    task = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise

"""Small pieces of ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html) that the front layer is made of."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from typing import Any

from apikit.dialects import Rendered
from apikit.problems import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

REFUSED_BODY_BYTES = 65_536  # what is read of a refused body, so that the client sees the answer and not a reset
DRAIN_S = 2.0


class ClientGone(Exception):
    """The client closed the connection."""


def header(scope: Scope, name: bytes) -> str | None:
    """The first value of a header, or None."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return None


def new_request_id() -> str:
    """An id for a request that came without one."""
    return f"req_{uuid.uuid4().hex}"


async def send_json(
    send: Send, *, status: int, body: Any, headers: dict[str, str] | None = None, media_type: str = "application/json"
) -> None:
    """One whole JSON answer."""
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    raw = [(b"content-type", media_type.encode()), (b"content-length", str(len(encoded)).encode())]
    raw += [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": encoded})


async def refuse(shown: Rendered, *, receive: Receive, send: Send, body_read: bool = False) -> None:
    """Answer with a problem and take in a little of the body that is still coming."""
    headers = dict(shown.headers)
    if not body_read:
        headers["Connection"] = "close"
    await send_json(send, status=shown.status, body=shown.document, headers=headers, media_type=shown.media_type)
    if not body_read:
        with contextlib.suppress(TimeoutError, ClientGone):
            async with asyncio.timeout(DRAIN_S):
                await _drain(receive)


async def _drain(receive: Receive) -> None:
    left = REFUSED_BODY_BYTES
    while left > 0:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        left -= len(message.get("body", b""))
        if not message.get("more_body", False):
            return


async def read_body(receive: Receive, *, max_bytes: int) -> bytes:
    """The whole body; raises a 413 `Problem` beyond the limit."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        if size > max_bytes:
            raise Problem(
                "body_too_large", 413, f"The body may have at most {max_bytes} bytes. Use /v1/uploads for files."
            )
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


class AnsweredLater(Exception):
    """A body whose job others go on with, before anything of it was sent: the answer is the job's own, at its end."""


async def send_while_there(
    chunks: AsyncGenerator[bytes, None], *, start: Message, with_first: bool, receive: Receive, send: Send
) -> None:
    """Send an answer chunk by chunk; once the client has gone nothing more of it is made. Raises `ClientGone` then.

    `with_first`: the answer starts with its first chunk, and whatever is raised before that passes through unanswered.
    """
    if not with_first:
        await send(start)
    sending = asyncio.create_task(_send_chunks(chunks, start if with_first else None, send))
    leaving = asyncio.create_task(_await_leave(receive))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        gone = not sending.done()
    finally:
        sending.cancel()
        leaving.cancel()
        await asyncio.wait({sending, leaving})
        await chunks.aclose()
    if gone:
        raise ClientGone
    if not sending.cancelled():  # else it was cut because this process ends
        sending.result()


async def _send_chunks(chunks: AsyncGenerator[bytes, None], start: Message | None, send: Send) -> None:
    async for chunk in chunks:
        if start is not None:
            await send(start)
            start = None
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    if start is not None:
        await send(start)
    await send({"type": "http.response.body", "body": b""})


async def _await_leave(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body already read, and then what comes after it."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again

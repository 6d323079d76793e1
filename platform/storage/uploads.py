"""Takes the body of a signed PUT, of a file or a part: checked from the headers first, then streamed into a writer."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from typing import Any

from storage.asgi import Body, Disconnected, Refusal, Scope, header, in_thread
from storage.errors import ObjectExists, ObjectMissing, TooLarge
from storage.local import LocalStore
from storage.ports import CHUNK_BYTES, ObjectInfo, Writer
from storage.signing import Grant

DRAIN_BYTES = 65_536  # after a refusal: enough for what is already on its way, so that the client sees the answer
DRAIN_S = 1.0


def check_headers(scope: Scope, *, grant: Grant) -> None:
    """Raises a `Refusal` when a PUT announces something else than was signed."""
    length = header(scope, b"content-length")
    if length is None or not length.isdecimal():
        raise Refusal(411, code="length_required", detail="Send the upload with a Content-Length header.")
    if int(length) != grant.size_bytes:
        status = 413 if int(length) > (grant.size_bytes or 0) else 400
        detail = f"This URL takes exactly {grant.size_bytes} bytes. Send that many or ask for a new upload."
        raise Refusal(status, code="length_mismatch", detail=detail)
    if grant.part is None and header(scope, b"content-type") != grant.content_type:
        detail = f"This URL takes Content-Type {grant.content_type}. Send that type or ask for a new upload."
        raise Refusal(415, code="content_type_mismatch", detail=detail)
    if header(scope, b"content-encoding") not in {None, "identity"}:
        raise Refusal(415, code="content_encoding_refused", detail="Send the file without Content-Encoding.")
    if header(scope, b"content-range") is not None:
        raise Refusal(400, code="content_range_refused", detail="Send the whole file without Content-Range.")


async def take(body: Body, *, store: LocalStore, grant: Grant, idle_timeout_s: float) -> ObjectInfo:
    """Streams the body into the store and returns the object; on any failure nothing is kept."""
    try:
        writer = await in_thread(_open, store, grant)
        try:
            sha256_hex = await _pump(body, writer=writer, grant=grant, idle_timeout_s=idle_timeout_s)
            if sha256_hex != grant.sha256_hex:
                detail = "The body does not have the announced SHA-256. Send the file again."
                raise Refusal(422, code="checksum_mismatch", detail=detail)
            return await in_thread(writer.commit)
        finally:
            writer.abort()
    except ObjectMissing:
        detail = "No part can come any more: the upload is complete, or its time is over. Look at the upload."
        raise Refusal(409, code="upload_closed", detail=detail) from None
    except ObjectExists:
        detail = "This upload is complete already. Use it, or ask for a new upload to send another file."
        raise Refusal(409, code="upload_already_complete", detail=detail) from None
    except TooLarge:
        raise Refusal(413, code="length_mismatch", detail="The body is longer than announced.") from None


def _open(store: LocalStore, grant: Grant) -> Writer:
    max_bytes = grant.size_bytes or 0
    if grant.part is not None:
        return store.open_part(grant.key, number=grant.part, max_bytes=max_bytes)
    return store.open_writer(grant.key, content_type=grant.content_type or "", max_bytes=max_bytes, exclusive=True)


async def _pump(body: Body, *, writer: Writer, grant: Grant, idle_timeout_s: float) -> str | None:
    digest = hashlib.sha256() if grant.sha256_hex else None
    batch = bytearray()
    size_bytes = 0
    more = True
    while more:
        data, more = await _next_body(body, idle_timeout_s=idle_timeout_s)
        batch += data
        size_bytes += len(data)
        if batch and (len(batch) >= CHUNK_BYTES or not more):
            await in_thread(_store, batch, writer=writer, digest=digest)
            batch = bytearray()
    if size_bytes != grant.size_bytes:
        raise Refusal(400, code="length_mismatch", detail="The body is shorter than announced. Send it again.")
    return digest.hexdigest() if digest else None


def _store(batch: bytearray, *, writer: Writer, digest: Any) -> None:
    if digest is not None:
        digest.update(batch)
    writer.write(batch)


async def _next_body(body: Body, *, idle_timeout_s: float) -> tuple[bytes, bool]:
    try:
        async with asyncio.timeout(idle_timeout_s):
            message = await body.next()
    except TimeoutError:
        detail = f"No data came for {idle_timeout_s:g} s. Send the file again."
        raise Refusal(408, code="upload_stalled", detail=detail) from None
    if message["type"] != "http.request":
        raise Disconnected
    return message.get("body", b""), message.get("more_body", False)


async def drain(body: Body) -> None:
    """Reads a little of a refused body, so that closing does not reset the connection under the answer."""
    left_bytes = DRAIN_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            while left_bytes > 0 and not body.finished:
                left_bytes -= len((await body.next()).get("body", b""))

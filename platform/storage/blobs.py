"""The ASGI application behind the local store's signed URLs.

PUT takes an upload once or a part of one, GET and HEAD serve an object with ranges, OPTIONS answers browsers. The
signed URL is the only credential: no cookie or key is looked at, so other origins learn nothing that the URL does not
give. Pages may use it from the origins that the object's owner has registered.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Collection
from urllib.parse import unquote

from storage import uploads
from storage.asgi import Body, Disconnected, Receive, Refusal, Scope, Send, header, in_thread, start
from storage.errors import KeyInvalid, ObjectMissing, StorageUnavailable
from storage.keys import check_key
from storage.local import LocalStore
from storage.ports import ObjectInfo
from storage.ranges import RangeUnsatisfiable, attachment, parse_range
from storage.signing import Grant, SignatureInvalid, UrlExpired, UrlSigner

METHODS = "GET, HEAD, PUT, OPTIONS"
# What a tenant stored must never run in our origin, whatever its type says.
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-transform",
    "Referrer-Policy": "no-referrer",
}
CORS_HEADERS = {
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": "Content-Type, Range, If-Range, If-None-Match",
    "Access-Control-Max-Age": "600",
}
EXPOSED = "ETag, Content-Length, Content-Range, Accept-Ranges, Content-Disposition"


OriginsOf = Callable[[str], Awaitable[Collection[str]]]


async def _no_origins(_: str) -> Collection[str]:
    return ()


def _new_request_id(scope: Scope) -> str:
    return f"req_{secrets.token_hex(12)}"


class BlobApp:
    """Serves one store; `origins_of` a key are those whose pages may use its signed URLs."""

    def __init__(
        self,
        store: LocalStore,
        *,
        signer: UrlSigner,
        origins_of: OriginsOf = _no_origins,
        problem_base_url: str = "",
        request_id: Callable[[Scope], str] = _new_request_id,
        idle_timeout_s: float = 60.0,
    ) -> None:
        self._store = store
        self._signer = signer
        self._origins_of = origins_of
        self._problem_base_url = problem_base_url
        self._request_id = request_id
        self._idle_timeout_s = idle_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        body = Body(receive)
        try:
            await self._answer(scope, body, send)
        except Refusal as refusal:
            await self._refuse(refusal, scope=scope, body=body, send=send)
        except StorageUnavailable as error:
            later = Refusal(503, code=error.code, detail=str(error), headers={"Retry-After": "5"})
            await self._refuse(later, scope=scope, body=body, send=send)
        except Disconnected:
            return

    async def _answer(self, scope: Scope, body: Body, send: Send) -> None:
        method = scope["method"]
        if method == "OPTIONS":
            await self._preflight(scope, send=send)
        elif method == "PUT":
            await self._put(self._grant(scope, method="PUT"), scope=scope, body=body, send=send)
        elif method in {"GET", "HEAD"}:
            await self._get(self._grant(scope, method="GET"), scope=scope, body=body, send=send)
        else:
            detail = f"This URL takes {METHODS}. Use the method that the URL was signed for."
            raise Refusal(405, code="method_not_allowed", detail=detail, headers={"Allow": METHODS})

    async def _preflight(self, scope: Scope, *, send: Send) -> None:
        cors = await self._cors(scope)
        if header(scope, b"origin") is not None and not cors:
            detail = "Pages of this origin may not send files here. Register it: PUT /v1/upload-origins."
            raise Refusal(403, code="origin_not_allowed", detail=detail)
        await start(send, status=204, headers=cors | CORS_HEADERS | {"Allow": METHODS})
        await send({"type": "http.response.body"})

    def _key(self, scope: Scope) -> str:
        return check_key(unquote(scope["path"]).removeprefix(self._signer.prefix))

    def _grant(self, scope: Scope, *, method: str) -> Grant:
        try:
            grant = self._signer.verify(self._key(scope), query=scope["query_string"].decode("latin-1"))
        except UrlExpired:
            detail = "This URL has expired. Ask for a new one."
            raise Refusal(403, code="url_expired", detail=detail) from None
        except (SignatureInvalid, KeyInvalid):
            detail = "This URL was changed or not made here. Use it exactly as it was given, or ask for a new one."
            raise Refusal(403, code="signature_invalid", detail=detail) from None
        if grant.method != method:
            detail = f"This URL was signed for {grant.method}. Use that method or ask for another URL."
            raise Refusal(403, code="method_mismatch", detail=detail)
        return grant

    async def _put(self, grant: Grant, *, scope: Scope, body: Body, send: Send) -> None:
        uploads.check_headers(scope, grant=grant)
        info = await uploads.take(body, store=self._store, grant=grant, idle_timeout_s=self._idle_timeout_s)
        headers = {"ETag": f'"{info.etag}"', "Content-Length": "0"} | await self._cors(scope)
        await start(send, status=200, headers=headers)
        await send({"type": "http.response.body"})

    async def _get(self, grant: Grant, *, scope: Scope, body: Body, send: Send) -> None:
        info = await in_thread(self._store.stat, grant.key)
        if info is None:
            raise Refusal(404, code=ObjectMissing.code, detail=ObjectMissing.detail)
        headers = self._headers(info, grant=grant) | await self._cors(scope)
        if header(scope, b"if-none-match") == headers["ETag"]:
            await start(send, status=304, headers=headers)
            await send({"type": "http.response.body"})
            return
        part = _part(scope, info=info, etag=headers["ETag"])
        first, end = part or (0, info.size_bytes)
        if part:
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{info.size_bytes}"
        headers["Content-Length"] = str(end - first)
        await start(send, status=206 if part else 200, headers=headers)
        if scope["method"] == "GET":
            await self._send_range(grant.key, first=first, end=end, body=body, send=send)
        await send({"type": "http.response.body"})

    async def _send_range(self, key: str, *, first: int, end: int, body: Body, send: Send) -> None:
        chunks = await in_thread(self._store.open_range, key, start=first, end=end)
        gone = asyncio.ensure_future(_disconnect(body))
        try:
            # A server goes on accepting chunks for a client that left: stop reading the disk for it.
            while not gone.done() and (chunk := await in_thread(next, chunks, b"")):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        finally:
            gone.cancel()
            if (close := getattr(chunks, "close", None)) is not None:
                close()
        if gone.done() and not gone.cancelled():
            raise Disconnected

    def _headers(self, info: ObjectInfo, *, grant: Grant) -> dict[str, str]:
        headers = {"Content-Type": info.content_type, "ETag": f'"{info.etag}"', "Accept-Ranges": "bytes"}
        if grant.filename is not None:
            headers["Content-Disposition"] = attachment(grant.filename)
        return headers | SAFE_HEADERS

    async def _cors(self, scope: Scope) -> dict[str, str]:
        origin = header(scope, b"origin")
        if origin is None:
            return {}
        try:
            if origin not in await self._origins_of(self._key(scope)):
                return {}
        except KeyInvalid:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED, "Vary": "Origin"}

    async def _refuse(self, refusal: Refusal, *, scope: Scope, body: Body, send: Send) -> None:
        request_id = self._request_id(scope)
        problem = refusal.body(problem_base_url=self._problem_base_url, request_id=request_id)
        headers = {"Content-Type": "application/problem+json", "Content-Length": str(len(problem))}
        headers |= {"Request-Id": request_id, "Cache-Control": "no-store"} | refusal.headers | await self._cors(scope)
        unread = scope["method"] not in {"GET", "HEAD", "OPTIONS"}
        if unread:
            headers["Connection"] = "close"
        await start(send, status=refusal.status, headers=headers)
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else problem, "more_body": True}
        )
        if unread:
            await uploads.drain(body)
        await send({"type": "http.response.body"})


def _part(scope: Scope, *, info: ObjectInfo, etag: str) -> tuple[int, int] | None:
    if header(scope, b"if-range") not in {None, etag}:
        return None
    try:
        return parse_range(header(scope, b"range"), size_bytes=info.size_bytes)
    except RangeUnsatisfiable:
        detail = f"The object has {info.size_bytes} bytes. Ask for a range that starts inside."
        headers = {"Content-Range": f"bytes */{info.size_bytes}"}
        raise Refusal(416, code="range_not_satisfiable", detail=detail, headers=headers) from None


async def _disconnect(body: Body) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        while (await body.next())["type"] != "http.disconnect":
            pass

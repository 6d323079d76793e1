"""The layer in front of Django: it judges a request by its headers before a byte of its body is read.

Django's ASGI handler reads the whole body before any middleware. So key, address and declared size are checked
here, and large bodies go straight into the store.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl
from uuid import UUID

from apikit.asgi import (
    AnsweredLater,
    App,
    ClientGone,
    Message,
    Receive,
    Scope,
    Send,
    header,
    new_request_id,
    read_body,
    refuse,
    replayed,
    send_while_there,
)
from apikit.dialects import answer_headers, render
from apikit.forms import Form, FormReader
from apikit.problems import Problem
from apikit.watching import ROUTE, Watched
from observe.facade import get_logger, is_on, is_traced

MAX_JSON_BYTES = 1_500_000  # the longest text to speak, 200,000 letters of Korean, each of them as \uXXXX
MAX_WAIT_S = 60
REQUEST_ID = "parlance.request_id"
FORM = "parlance.form"
STARTED = "parlance.started"
MORE_HEADERS = "parlance.more_headers"  # in the scope: what every answer to this request carries besides
WAIT_HEADER = b"x-parlance-wait"
# A route that waits whether or not it was asked to says how long at most, and whom to ask then.
WAIT_S_HEADER = b"x-parlance-wait-s"
THEN_HEADER = b"x-parlance-then"
WAITED = "parlance.waited"  # in the scope of the question after such a wait, and in no other: the job's id
JOB_HEADER = b"x-parlance-transcription-id"  # on an error: it is about a job that was accepted and owns its file
STREAM_HEADER = b"x-parlance-stream"  # `<kind>:<job id>?<query>`: the body is not Django's, it is still to come
FETCHED_HEADER = b"x-parlance-fetched"  # a job's id: who has this answer has all of the content that was kept for it
WITH_FIRST_HEADER = b"x-parlance-stream-with-first"  # its beginning may still be refused: answer with its first piece
# No proxy may keep a stream, or hold it back until there is enough of it.
NOT_KEPT = [(b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
INTERNAL = {
    WAIT_HEADER,
    WAIT_S_HEADER,
    THEN_HEADER,
    STREAM_HEADER,
    WITH_FIRST_HEADER,
    FETCHED_HEADER,
    b"content-length",
}
CARRIED = {b"location", b"idempotency-replayed"}  # what a later answer keeps of the first
_PREFER_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])")
_CLEAN_ID = re.compile(r"^[\w.:/-]{1,128}$", re.ASCII)

log = get_logger(__name__)


class Guard(Protocol):
    """What the front layer asks of its neighbours; `config` provides it."""

    async def admit(self, scope: Scope) -> None:
        """Know the caller and put it into the scope; raises a `Problem`."""

    async def done(self, scope: Scope) -> None:
        """The answer is about to be whole: the caller may send the next request. Called again it does nothing."""

    def leave(self, scope: Scope) -> None:
        """Forget the caller."""

    def form_reader(self, scope: Scope) -> FormReader | None:
        """A reader when this route takes multipart, else None."""

    async def discard(self, form: Form) -> None:
        """Remove the file of a request that was refused."""

    async def fetched(self, job_id: UUID) -> None:
        """The job's content was sent whole."""

    async def wait(self, job_id: UUID, *, timeout_s: float) -> None:
        """Return when the job has ended or the time is over."""

    def stream(self, kind: str, scope: Scope, job_id: UUID, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """The body of this kind that follows the job; raises a `Problem` when there are too many already."""


@dataclass(frozen=True, slots=True)
class Front:
    """ASGI application: public routes by exact path or prefix, everything else behind the guard and in Django."""

    django: App
    guard: Guard
    base_url: str
    public: dict[str, Callable[[Scope, Receive, Send], Awaitable[None]]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        scope[REQUEST_ID], scope[STARTED] = _request_id(scope), time.monotonic()
        if is_on() or is_traced():
            await Watched(self._serve, send).run(scope, receive)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._public_path(scope["path"])
        if found is not None:
            scope[ROUTE] = found
        try:
            await (self._guarded if found is None else self.public[found])(scope, receive, send)
        except ClientGone:
            log.info("client_gone", path=found or scope["path"])  # behind a public prefix may stand a secret
        except Exception as error:
            log.exception("front_crashed", path=found or scope["path"], error=type(error).__name__)
            crash = Problem("internal_error", 500, "Something went wrong on our side. Quote the request_id.")
            await self._refuse(crash, scope, receive, send, body_read=True)

    def _public_path(self, path: str) -> str | None:
        if path in self.public:
            return path
        return next((prefix for prefix in self.public if prefix.endswith("/") and path.startswith(prefix)), None)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        read, send = False, self._done_at_the_end(scope, send)
        try:
            await self.guard.admit(scope)
            body = await self._body(scope, receive)
            read = True
            await self._answer(scope, body, receive, send)
        except Problem as problem:
            await self._refuse(problem, scope, receive, send, body_read=read)
        finally:
            await self.guard.done(scope)
            self.guard.leave(scope)

    def _done_at_the_end(self, scope: Scope, send: Send) -> Send:
        """Tells the guard before the last piece goes: who has that may come again at once."""

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                await self.guard.done(scope)
            await send(message)

        return telling

    async def _refuse(self, problem: Problem, scope: Scope, receive: Receive, send: Send, *, body_read: bool) -> None:
        shown = render(problem, path=scope["path"], base_url=self.base_url, request_id=scope[REQUEST_ID])
        shown.headers.update(_headers_of(scope))
        await refuse(shown, receive=receive, send=send, body_read=body_read)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """The body as Django will see it: JSON whole, a multipart one taken apart and so empty."""
        kind = header(scope, b"content-type") or ""
        reader = self.guard.form_reader(scope) if kind.lower().startswith("multipart/") else None
        if reader is not None:
            scope[FORM] = await reader.read(receive, content_type=kind)
            return b""
        declared = header(scope, b"content-length")
        if declared is not None and declared.isdigit() and int(declared) > MAX_JSON_BYTES:
            raise Problem("body_too_large", 413, f"A JSON body may have at most {MAX_JSON_BYTES} bytes.")
        return await read_body(receive, max_bytes=MAX_JSON_BYTES)

    async def _answer(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Django's answer. For a job that has not ended and is waited for (`Prefer: wait`, RFC 7240, or because the
        route demands it), its later state instead."""
        first = await self._call(scope, replayed(body, receive))
        if first.status == 405:
            raise _wrong_method(first.header(b"allow") or "")
        # After a 5xx a job may exist all the same: then it needs its file.
        if 400 <= first.status < 500 and FORM in scope and first.header(JOB_HEADER) is None:
            await self.guard.discard(scope[FORM])
        stream = first.header(STREAM_HEADER)
        if stream is not None:
            await self._stream(stream, scope, first, receive, send)
            return
        preferred_s, demanded_s = _wait_s(scope), int(first.header(WAIT_S_HEADER) or 0)
        waited = first.header(WAIT_HEADER)
        if waited is not None and (preferred_s or demanded_s) and first.status < 300:
            await self.guard.wait(UUID(waited), timeout_s=preferred_s or demanded_s)
            first = await self._later(scope, first, receive)
        if preferred_s and first.status < 300:
            first.headers.append((b"preference-applied", f"wait={preferred_s}".encode()))
        await self._send(first, scope, send)

    async def _send(self, answer: _Answer, scope: Scope, send: Send) -> None:
        await answer.send(send, scope=scope)
        fetched = answer.header(FETCHED_HEADER)
        if fetched is not None:
            await self.guard.fetched(UUID(fetched))

    async def _stream(self, stream: str, scope: Scope, first: _Answer, receive: Receive, send: Send) -> None:
        """The body that the route's header names, as long as the client is there; or the job, when others go on."""
        kind, _, rest = stream.partition(":")
        job_id, _, query = rest.partition("?")
        chunks = self.guard.stream(kind, scope, UUID(job_id), dict(parse_qsl(query)))
        headers = [*first.shown(scope), *NOT_KEPT]
        start = {"type": "http.response.start", "status": first.status, "headers": headers}
        with_first = first.header(WITH_FIRST_HEADER) is not None
        try:
            await send_while_there(chunks, start=start, with_first=with_first, receive=receive, send=send)
        except AnsweredLater:
            await self.guard.wait(UUID(job_id), timeout_s=int(first.header(WAIT_S_HEADER) or 0))
            await self._send(await self._later(scope, first, receive), scope, send)
        except (ClientGone, Problem):
            raise
        except Exception as error:  # the answer has begun: all that is left is to end it, and the client comes back
            log.exception("stream_crashed", path=scope["path"], error=type(error).__name__)

    async def _later(self, scope: Scope, first: _Answer, receive: Receive) -> _Answer:
        """The job as it is now; the first answer again when this key may write but not read."""
        then = first.header(THEN_HEADER)
        asked = _get(scope, then or first.header(b"location") or scope["path"])
        if then is not None:
            asked[WAITED] = first.header(WAIT_HEADER)
        later = await self._call(asked, replayed(b"", receive))
        if later.status >= 300 and then is None:
            return first
        later.headers += [pair for pair in first.headers if pair[0] in CARRIED]
        return later

    async def _call(self, scope: Scope, receive: Receive) -> _Answer:
        answer = _Answer()
        await self.django(scope, receive, answer.take)
        return answer


class _Answer:
    """A whole answer of Django's, held until it is decided whether to send it."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], [(key.lower(), value) for key, value in message["headers"]]
        else:
            self._body.append(message.get("body", b""))

    def header(self, name: bytes) -> str | None:
        return next((value.decode("latin-1") for key, value in self.headers if key == name), None)

    def shown(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """The headers as the client gets them, but for the length."""
        ours = [(name.lower().encode(), value.encode("latin-1")) for name, value in _headers_of(scope).items()]
        return [*(pair for pair in self.headers if pair[0] not in INTERNAL), *ours]

    async def send(self, send: Send, *, scope: Scope) -> None:
        body = b"".join(self._body)  # no copy of a single one
        headers = [*self.shown(scope), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _get(scope: Scope, path: str) -> dict[str, Any]:
    """The same caller asking for another path."""
    kept = [pair for pair in scope["headers"] if pair[0] not in {b"content-length", b"content-type", b"prefer"}]
    return {**scope, "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": kept}


def _headers_of(scope: Scope) -> Mapping[str, str]:
    took_ms = round((time.monotonic() - scope[STARTED]) * 1000)
    shown = answer_headers(scope["path"], request_id=scope[REQUEST_ID], took_ms=took_ms)
    return {**shown, **scope.get(MORE_HEADERS, {})}


def _wrong_method(allowed: str) -> Problem:
    detail = f"This path takes {allowed}. Check the method against the API reference."
    return Problem("method_not_allowed", 405, detail, headers={"Allow": allowed})


def _wait_s(scope: Scope) -> int:
    found = _PREFER_WAIT.search(header(scope, b"prefer") or "")
    return min(int(found.group(1)), MAX_WAIT_S) if found else 0


def _request_id(scope: Scope) -> str:
    given = header(scope, b"request-id") or header(scope, b"x-request-id")
    return given if given and _CLEAN_ID.match(given) else new_request_id()

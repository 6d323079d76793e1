"""A loopback provider under full control of a test: what it was asked is kept, what it does wrong is ordered."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

# What a provider can do wrong although the request was right; each is done once, in the order given.
Fault = Literal[
    "throttled",
    "broken",
    "no_quota",
    "not_let_in",
    "proxy_error",
    "half_body",
    "half_sample",
    "empty",
    "html",
    "mute",
    "stall",
    "reset",
    "huge",
    "throttled_for_unknown_time",
    "throttled_as_400",
    "failed_in_200",
]
HUGE_BYTES = 100_000_000
MS_PER_CHARACTER = 20
CHUNK_BYTES = 4_000


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"
    query: str = ""

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What goes back; `send_bytes` less than the body is a connection that breaks off."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    send_bytes: int | None = None
    then_stalls: bool = False
    then_resets: bool = False


class Refused(Exception):
    """The request is not one that the real provider takes."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


class FakeProvider:
    """Serves `respond` on loopback."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: deque[Fault] = deque()
        self.released = threading.Event()  # ends every answer that is held back
        self.was_asked = threading.Event()
        self.waits_for: threading.Event | None = None  # every answer comes after this
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.handle, released=self.released))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self._work: list[threading.Thread] = []
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def respond(self, asked: Asked, *, fault: Fault | None) -> Answer:
        """Each provider's own."""
        raise NotImplementedError

    def handle(self, asked: Asked) -> Answer | None:
        """The answer to one request; None never answers."""
        self.asked.append(asked)
        self.was_asked.set()
        fault = self.faults.popleft() if self.faults else None
        if self.waits_for is not None:
            self.waits_for.wait(60)
        if fault == "mute":
            self.released.wait(60)
            return None
        if fault == "huge":
            return Answer(200, b" " * HUGE_BYTES, {"Content-Type": "application/json"})
        if fault == "html":
            return Answer(200, b"<html>Sign in to the network</html>", {"Content-Type": "text/html"})
        if fault == "proxy_error":
            return Answer(503, b"<html>Service Unavailable</html>", {"Content-Type": "text/html"})
        try:
            return _damaged(self.respond(asked, fault=fault), fault=fault)
        except Refused as refusal:
            return refusal.answer

    def later(self, work: Callable[[], None]) -> None:
        """Done beside the answers, such as a callback; `close` waits for it."""
        self._work.append(threading.Thread(target=work))
        self._work[-1].start()

    def finish_work(self) -> None:
        """Wait for what is done beside the answers."""
        for thread in self._work:
            thread.join()

    def close(self) -> None:
        self.released.set()
        self.finish_work()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def speech(text: str, *, rate_hz: int, speed: float = 1.0) -> bytes:
    """Samples whose number follows from the text: a saw-tooth, so that a lost or shifted byte is seen."""
    count = round(len(text) * MS_PER_CHARACTER * rate_hz / 1000 / speed)
    return array("h", (300 * (place % 97) - 14_400 for place in range(count))).tobytes()


def _damaged(answer: Answer, *, fault: Fault | None) -> Answer:
    if fault == "half_body":
        return Answer(answer.status, answer.body, answer.headers, send_bytes=len(answer.body) // 2)
    if fault == "reset":
        return Answer(answer.status, answer.body, answer.headers, len(answer.body) // 2, then_resets=True)
    if fault == "stall":
        return Answer(answer.status, answer.body, answer.headers, send_bytes=len(answer.body) // 2, then_stalls=True)
    if fault == "half_sample":
        return Answer(answer.status, answer.body[:-1], answer.headers)
    return Answer(answer.status, b"", answer.headers) if fault == "empty" else answer


def _handler(handle: Callable[[Asked], Answer | None], *, released: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            path, _, query = self.path.partition("?")
            answer = handle(Asked(path, headers, self._body(), self.command, query))
            if answer is None:
                self.close_connection = True
                return
            with contextlib.suppress(ConnectionError):  # whoever asked may have heard enough
                self._send(answer)

        do_GET = do_PUT = do_DELETE = do_POST

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            whole = answer.body[: answer.send_bytes]
            for start in range(0, len(whole), CHUNK_BYTES):
                self.wfile.write(whole[start : start + CHUNK_BYTES])
                self.wfile.flush()
            if answer.then_stalls:
                released.wait(60)
            if answer.then_resets:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            if answer.send_bytes is not None:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler

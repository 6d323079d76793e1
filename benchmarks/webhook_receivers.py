"""Many webhook receivers in one asyncio process: each port answers in its manner, one more port tells the figures.

python benchmarks/webhook_receivers.py CONTROL_PORT '{"ok": 50, "hang": 1}'
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ANSWERS = {
    "ok": b"HTTP/1.1 204 No Content\r\n\r\n",
    "busy": b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
    "hang": b"",
    "endless": b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n",  # a hundred of them declare 1 GB
}
ENDLESS_BYTES = 10_485_760
CHUNK = b"x" * 65_536


@dataclass
class Book:
    """What arrived since the last reset, by manner; times are seconds of the machine's clock."""

    lags_ms: dict[str, list[float]] = field(default_factory=dict)
    first_s: float = 0.0
    last_s: float = 0.0
    poured_bytes: int = 0

    def arrived(self, manner: str, body: bytes) -> None:
        self.last_s = time.time()
        self.first_s = self.first_s or self.last_s
        published_s = datetime.fromisoformat(json.loads(body)["timestamp"]).timestamp()
        self.lags_ms.setdefault(manner, []).append((self.last_s - published_s) * 1000)


class Connection(asyncio.Protocol):
    """HTTP as far as our sender needs it: POST with a length, kept alive."""

    def __init__(self, manner: str, *, book: Book) -> None:
        self._manner, self._book = manner, book
        self._received, self._left, self._paused = b"", 0, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            size = _content_length(self._received[:end])
            if len(self._received) < end + 4 + size:
                return
            body, self._received = self._received[end + 4 : end + 4 + size], self._received[end + 4 + size :]
            self.request(body)

    def request(self, body: bytes) -> None:
        self._book.arrived(self._manner, body)
        self._transport.write(ANSWERS[self._manner])
        if self._manner == "endless":
            self._left = ENDLESS_BYTES
            self._pour()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._pour()

    def _pour(self) -> None:
        while self._left > 0 and not self._paused and not self._transport.is_closing():
            self._transport.write(CHUNK)
            self._left -= len(CHUNK)
            self._book.poured_bytes += len(CHUNK)


class Control(asyncio.Protocol):
    """GET / tells ports and figures; GET /reset forgets the figures afterwards."""

    def __init__(self, ports: dict[str, list[int]], *, book: Book) -> None:
        self._ports, self._book = ports, book

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        text = json.dumps({"ports": self._ports, **vars(self._book)}).encode()
        if data.startswith(b"GET /reset "):
            vars(self._book).update(vars(Book()))
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
        self._transport.write(head.encode() + text)
        self._transport.close()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def serve(control_port: int, wanted: dict[str, int]) -> None:
    """Open all ports and answer until the process ends."""
    loop, book = asyncio.get_running_loop(), Book()
    ports: dict[str, list[int]] = {}
    servers: list[Any] = []
    for manner, count in wanted.items():
        for _ in range(count):
            server = await loop.create_server(lambda manner=manner: Connection(manner, book=book), "127.0.0.1", 0)
            servers.append(server)
            ports.setdefault(manner, []).append(server.sockets[0].getsockname()[1])
    control = await loop.create_server(lambda: Control(ports, book=book), "127.0.0.1", control_port)
    await control.serve_forever()


if __name__ == "__main__":
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the sender has the first core
    asyncio.run(serve(int(sys.argv[1]), json.loads(sys.argv[2])))

"""Connections to a real server: kept between calls, and given up by phase."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

import parlance
from parlance import AsyncParlance, Parlance

EMPTY = json.dumps({"object": "list", "data": [], "has_more": False, "next_cursor": None}).encode()


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.connections = self.requests = 0
        self.url = f"http://127.0.0.1:{self.server_port}"


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        self.server.requests += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(EMPTY)))
        self.end_headers()
        self.wfile.write(EMPTY)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(url: str) -> None:
    with Parlance(api_key="k", base_url=url) as client:
        for _ in range(4):
            client.voices.list().first_page()


def a_ask(url: str) -> None:
    async def program() -> None:
        async with AsyncParlance(api_key="k", base_url=url) as client:
            for _ in range(4):
                await client.voices.list().first_page()

    asyncio.run(program())


@pytest.mark.parametrize("asking", [ask, a_ask])
def test_calls_share_a_connection(server: Server, asking: Callable[[str], None]) -> None:
    asking(server.url)
    assert (server.connections, server.requests) == (1, 4)


SLOW = parlance.Timeout(60, connect=3, read=None)
PHASES: dict[str, tuple[Any, Any, dict[str, float | None]]] = {
    "by default": (None, None, {"connect": 5.0, "read": 60.0, "write": 60.0, "pool": 60.0}),
    "of the client": (20, None, {"connect": 5.0, "read": 20, "write": 20, "pool": 20}),
    "of each phase": (SLOW, None, {"connect": 3, "read": None, "write": 60, "pool": 60}),
    "of a call": (20, 2, {"connect": 2, "read": 2, "write": 2, "pool": 2}),
}  # fmt: skip


@pytest.mark.parametrize("which", PHASES)
def test_every_phase_has_its_timeout(which: str) -> None:
    timeout, of_call, expected = PHASES[which]
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(200, content=EMPTY)

    with Parlance(api_key="k", timeout=timeout, transport=httpx.MockTransport(answer)) as client:
        client.voices.list(options={} if of_call is None else {"timeout": of_call}).first_page()
    assert seen == [expected]

"""Requests that go through a proxy: the one that was given, or that of the environment."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from parlance import AsyncParlance, ConnectionFailed, Parlance

URL = "http://speech.test"  # exists behind the proxy only
ANSWER = json.dumps({"object": "list", "data": [], "has_more": False, "next_cursor": None}).encode()


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Proxy(ThreadingHTTPServer):
    """Answers for every server, and keeps what it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Answering(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(proxy: str | None = None, url: str = URL) -> None:
    with Parlance(api_key="k", base_url=url, proxy=proxy, max_retries=0, timeout=5) as client:
        client.dictionary.list().first_page()


def a_ask(proxy: str | None = None, url: str = URL) -> None:
    async def program() -> None:
        async with AsyncParlance(api_key="k", base_url=url, proxy=proxy, max_retries=0, timeout=5) as client:
            await client.dictionary.list().first_page()

    asyncio.run(program())


both = pytest.mark.parametrize("asking", [ask, a_ask])


@both
def test_a_proxy_that_is_given_is_used(proxy: Proxy, asking: Callable[..., None]) -> None:
    asking(proxy.url)
    assert proxy.asked == [f"{URL}/v1/dictionary"]


@both
def test_the_environments_proxy_is_heeded(
    proxy: Proxy, asking: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    asking()
    assert proxy.asked == [f"{URL}/v1/dictionary"]


@both
def test_no_proxy_is_heeded_too(proxy: Proxy, asking: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    asking(url=proxy.url)
    assert proxy.asked == ["/v1/dictionary"]  # asked as the server itself


@both
def test_a_proxy_that_is_not_there_is_told(asking: Callable[..., None]) -> None:
    with pytest.raises(ConnectionFailed):
        asking("http://127.0.0.1:9")

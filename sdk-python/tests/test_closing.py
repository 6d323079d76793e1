"""Calls that are ended from outside: a client that is closed by another thread or task, a task that is canceled."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import httpx
import pytest

import parlance
from parlance import AsyncParlance, ClientClosed, Parlance

WAIT_S = 2  # for a busy machine; what is right ends at once
OPEN = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
LATER = b"HTTP/1.1 503 Unavailable\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n"


class Silent:
    """Takes connections, says what it is told to after a request's head, and nothing more."""

    def __init__(self, says: bytes = b"") -> None:
        self._says = says
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.asked, self.left = threading.Semaphore(0), threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._hold, args=(connection,), daemon=True).start()

    def _hold(self, connection: socket.socket) -> None:
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65_536)
            connection.sendall(self._says)
            self.asked.release()
            try:
                while connection.recv(65_536):
                    pass
            except OSError:
                pass
            self.left.release()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def silent() -> Iterator[Callable[..., Silent]]:
    made: list[Silent] = []

    def make(says: bytes = b"") -> Silent:
        made.append(Silent(says))
        return made[-1]

    yield make
    for one in made:
        one.close()


CALLS: dict[str, tuple[bytes, Callable[[Parlance], object]]] = {
    "an answer": (b"", lambda client: client.transcriptions.get("trn_1", wait_s=30)),
    "an upload": (b"", lambda client: client.transcribe(b"x")),
    "a body": (OPEN, lambda client: client.statements.export("stm_1").read()),
    "a stream": (OPEN, lambda client: list(client.transcriptions.stream("trn_1"))),
    "a retry": (LATER, lambda client: client.transcriptions.get("trn_1")),
}


@pytest.mark.parametrize("what", CALLS)
def test_closing_ends_what_another_thread_waits_for(
    silent: Callable[..., Silent], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # pauses are real here
    says, call = CALLS[what]
    server = silent(says)
    client = Parlance(api_key="k", base_url=server.url)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(call, client)
        assert server.asked.acquire(timeout=WAIT_S)
        client.close()
        with pytest.raises(ClientClosed):
            waiting.result(timeout=WAIT_S)
    assert server.left.acquire(timeout=WAIT_S)


def test_a_client_of_the_users_stays_open_and_keeps_its_timeout(silent: Callable[..., Silent]) -> None:
    server = silent()
    with httpx.Client(timeout=0.05) as own:
        with Parlance(api_key="k", base_url=server.url, http_client=own, max_retries=0) as client:
            with pytest.raises(parlance.RequestTimedOut):
                client.transcriptions.get("trn_1")
            assert not own.is_closed
        assert not own.is_closed
        with pytest.raises(ClientClosed):
            client.transcriptions.get("trn_1")


def test_a_closed_client_says_so() -> None:
    async def program() -> None:
        client = AsyncParlance(api_key="k")
        await client.aclose()
        with pytest.raises(ClientClosed):
            await client.transcriptions.get("trn_1")

    asyncio.run(program())
    closed = Parlance(api_key="k")
    closed.close()
    with pytest.raises(ClientClosed):
        closed.upload(b"x")


def test_closing_ends_what_another_task_waits_for(silent: Callable[..., Silent]) -> None:
    server = silent()

    async def program() -> None:
        client = AsyncParlance(api_key="k", base_url=server.url)
        waiting = asyncio.create_task(client.transcriptions.get("trn_1"))
        assert await asyncio.to_thread(server.asked.acquire, timeout=WAIT_S)
        await client.aclose()
        with pytest.raises(ClientClosed):
            await asyncio.wait_for(waiting, WAIT_S)

    asyncio.run(program())


ASYNC_CALLS: dict[str, tuple[bytes, Callable[[AsyncParlance], object]]] = {
    "an answer": (b"", lambda client: client.transcriptions.get("trn_1", wait_s=30)),
    "a body": (OPEN, lambda client: client.statements.export("stm_1").read()),
    "half an answer": (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", lambda client: client.usage.get()),
}


@pytest.mark.parametrize("what", ASYNC_CALLS)
def test_a_canceled_task_gives_its_connection_back(silent: Callable[..., Silent], what: str) -> None:
    says, call = ASYNC_CALLS[what]
    server = silent(says)

    async def program() -> None:
        async with AsyncParlance(api_key="k", base_url=server.url) as client:
            waiting = asyncio.ensure_future(call(client))  # type: ignore[arg-type]  # all are awaitable
            assert await asyncio.to_thread(server.asked.acquire, timeout=WAIT_S)
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert client._transport.http._transport._held == [0]  # type: ignore[attr-defined]
            assert await asyncio.to_thread(server.left.acquire, timeout=WAIT_S)

    asyncio.run(program())


TICKET = {
    "id": "upl_1", "object": "upload", "livemode": False, "status": "pending", "filename": "a", "size_bytes": 9,
    "content_type": "audio/wav", "created": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T00:00:00Z",
    "upload": {"method": "PUT", "url": "https://files.test/a", "headers": {}},
}  # fmt: skip


def test_a_canceled_upload_closes_its_file_and_makes_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    sent, opened, sending = list[str](), list[BinaryIO](), asyncio.Event()

    def kept(file: BinaryIO, start: int) -> BinaryIO:
        opened.append(file)
        file.seek(start)
        return file

    async def hang(request: httpx.Request) -> httpx.Response:
        sent.append(f"{request.method} {request.url.path}")
        if request.method == "PUT":
            assert isinstance(request.stream, httpx.AsyncByteStream)
            await anext(aiter(request.stream))
            sending.set()
            await asyncio.sleep(60)
        return httpx.Response(201, json=TICKET)

    async def program() -> None:
        async with AsyncParlance(api_key="k", transport=httpx.MockTransport(hang)) as client:
            call = asyncio.ensure_future(client.transcribe(b"123456789"))
            await sending.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    monkeypatch.setattr("parlance._sources._at", kept)
    asyncio.run(program())
    assert sent == ["POST /v1/uploads", "PUT /a"]
    assert len(opened) == 2  # for its hash, and for its bytes
    assert all(file.closed for file in opened)

"""The guard under httpx clients, blocking and asyncio."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable

import httpcore
import httpx
import pytest

from egress.facade import DeadlineExceeded, UrlBlocked, async_transport, deadline, operator, transport, untrusted
from tests.egress.fakes import Connection, Handler, Server, always, answer

Serve = Callable[[Handler], Server]


def test_a_client_of_httpx_reaches_the_allowed_origin_and_no_other(serve: Serve) -> None:
    server, other = serve(always(answer(body=b"yes"))), serve(always(answer()))
    with httpx.Client(transport=transport(operator({server.url}))) as client:
        assert client.get(f"{server.url}/a").content == b"yes"
        with pytest.raises(UrlBlocked):
            client.get(other.url)
    assert other.connections == 0


def test_an_async_client_of_httpx_is_guarded_alike(serve: Serve) -> None:
    server, other = serve(always(answer(body=b"yes"))), serve(always(answer()))

    async def calls() -> None:
        async with httpx.AsyncClient(transport=async_transport(operator({server.url}))) as client:
            assert (await client.get(f"{server.url}/a")).content == b"yes"
            with pytest.raises(UrlBlocked):
                await client.get(other.url)

    asyncio.run(calls())
    assert other.connections == 0


def test_an_async_name_that_leads_home_is_blocked() -> None:
    async def call() -> None:
        guarded = async_transport(untrusted(), resolver=lambda host, port: ["8.8.8.8", "127.0.0.1"])
        async with httpx.AsyncClient(transport=guarded) as client:
            await client.get("https://hooks.example.com/")

    with pytest.raises(UrlBlocked):
        asyncio.run(call())


def test_the_async_deadline_covers_a_dripping_body(serve: Serve) -> None:
    def drip(connection: Connection) -> None:
        connection.read_request()
        connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        connection.drip(b"a" * 1000, pause_s=0.05)

    server = serve(drip)

    async def call() -> None:
        async with httpx.AsyncClient(transport=async_transport(server.policy())) as client:
            with deadline(seconds=0.5):
                await client.get(server.url)

    started_at = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        asyncio.run(call())
    assert time.monotonic() - started_at < 1.5


def test_faults_arrive_as_errors_of_httpx(serve: Serve) -> None:
    server = serve(lambda connection: None)
    with httpx.Client(transport=transport(server.policy())) as client, pytest.raises(httpx.TransportError):
        client.get(server.url)


def test_httpx_has_an_error_of_each_name_in_httpcore() -> None:
    kinds = [value for value in vars(httpcore).values() if isinstance(value, type) and issubclass(value, Exception)]
    mapped = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)
    names = [kind.__name__ for kind in kinds if issubclass(kind, mapped)]
    assert len(names) >= 9
    assert all(issubclass(getattr(httpx, name), httpx.TransportError) for name in names)


def test_checking_urls_does_not_load_an_http_library() -> None:
    code = "import sys, egress.facade; print(sorted({'httpx', 'httpcore', 'anyio'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_env())
    assert done.stdout.strip() == "[]"


def _env() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(sys.path)}

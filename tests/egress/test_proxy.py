"""Tenants' URLs through the operator's forward proxy: it gets numbers that the guard approved, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from egress.facade import (
    Client,
    ConnectFailed,
    DeadlineExceeded,
    Proxy,
    UrlBlocked,
    async_transport,
    parse_proxy,
    untrusted,
)
from tests.egress.fakes import Connection, Server

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
PUBLIC = "93.184.215.14"


class Tunnel:
    """A forward proxy that answers for every host itself, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.inside: list[bytes] = []
        self.answer = b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n"
        self.server = Server(self._serve)

    @property
    def proxy(self) -> Proxy:
        return parse_proxy(f"http://user:secret@127.0.0.1:{self.server.port}")

    def _serve(self, connection: Connection) -> None:
        self.asked.append(connection.read_request().decode())
        connection.sock.sendall(self.answer)
        while request := connection.read_request():
            self.inside.append(request)
            connection.sock.sendall(OK)


@pytest.fixture
def tunnel() -> Iterator[Tunnel]:
    made = Tunnel()
    yield made
    made.server.close()


@pytest.fixture
def client(tunnel: Tunnel) -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(answers: Any = (PUBLIC,)) -> Client:
        policy = untrusted(development=True, proxy=tunnel.proxy)
        made.append(Client(policy, resolver=lambda host, port: list(answers)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_the_proxy_is_asked_for_the_number_and_the_host_stays_the_name(tunnel: Tunnel, client: Any) -> None:
    answer = client().request("POST", url="http://hooks.example.com/x?y=1", content=b"body")
    assert (answer.status, answer.body) == (200, b"ok")
    [asked] = tunnel.asked
    assert asked.startswith(f"CONNECT {PUBLIC}:80 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=" in asked
    assert b"Host: hooks.example.com" in tunnel.inside[0]
    assert b"Proxy-Authorization" not in tunnel.inside[0]


def test_a_tunnel_is_kept_alive_for_its_host(tunnel: Tunnel, client: Any) -> None:
    used = client()
    for _ in range(3):
        used.request("POST", url="http://hooks.example.com/x", content=b"body")
    used.request("POST", url="http://other.example.com/x", content=b"body")
    assert (len(tunnel.asked), len(tunnel.inside)) == (2, 4)


@pytest.mark.parametrize("answers", [["127.0.0.1"], [PUBLIC, "10.0.0.5"], ["169.254.169.254"]])
def test_the_guard_refuses_before_the_proxy_hears_of_it(tunnel: Tunnel, client: Any, answers: list[str]) -> None:
    with pytest.raises(UrlBlocked):
        client(answers).request("POST", url="http://hooks.example.com/x", content=b"body")
    assert tunnel.server.connections == 0


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nearly", b"x" * 9000, b"SSH-2.0-x\r\n\r\n", b""],
)
def test_a_refusal_or_nonsense_of_the_proxy_is_a_failed_connection(tunnel: Tunnel, client: Any, answer: bytes) -> None:
    tunnel.answer = answer
    used = client()
    with pytest.raises((ConnectFailed, DeadlineExceeded)):  # silence ends with the time
        used.request("POST", url="http://hooks.example.com/x", content=b"body", total_timeout_s=0.5)
    assert tunnel.inside == []


def test_tls_is_spoken_with_the_host_and_not_with_the_proxy(tunnel: Tunnel, client: Any) -> None:
    seen: list[bytes] = []

    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.sock.sendall(tunnel.answer)
        seen.append(connection.sock.recv(4096))

    tunnel.server.handler = serve
    from egress.facade import EgressError

    with pytest.raises(EgressError):
        client().request("POST", url="https://hooks.example.com/x", content=b"body")
    assert seen[0][:1] == b"\x16"  # a TLS handshake
    assert b"hooks.example.com" in seen[0]  # for the name, although the number was asked for


def test_async_clients_go_the_same_way(tunnel: Tunnel) -> None:
    async def call() -> int:
        policy = untrusted(development=True, proxy=tunnel.proxy)
        way = async_transport(policy, resolver=lambda host, port: [PUBLIC])
        async with httpx.AsyncClient(transport=way, trust_env=False) as used:
            return (await used.get("http://hooks.example.com/x")).status_code

    assert asyncio.run(call()) == 200
    assert tunnel.asked[0].startswith(f"CONNECT {PUBLIC}:80")


@pytest.mark.parametrize(
    "url", ["proxy:3128", "https://proxy:3128", "http://proxy", "http://proxy:3128/path", "socks5://p:1"]
)
def test_only_an_http_proxy_with_a_port_is_taken(url: str) -> None:
    with pytest.raises(ValueError, match="proxy"):
        parse_proxy(url)


def test_the_password_of_a_proxy_is_not_shown() -> None:
    assert "secret" not in repr(parse_proxy("http://user:secret@proxy:3128"))
    assert "secret" not in repr(untrusted(proxy=parse_proxy("http://user:secret@proxy:3128")))

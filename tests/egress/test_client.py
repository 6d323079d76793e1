"""Webhook-like requests against hostile receivers: bounded in time, bytes and words."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable

import pytest

from egress.facade import (
    Client,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    EgressError,
    UnsupportedEncoding,
    UrlBlocked,
    untrusted,
)
from tests.egress.fakes import Connection, Handler, Server, always, answer

Serve = Callable[[Handler], Server]


def test_it_returns_status_headers_and_body(serve: Serve) -> None:
    seen: list[bytes] = []
    server = serve(always(answer("201 Created", headers=["X-One: 1"], body=b"hello"), seen=seen))
    with Client(server.policy()) as client:
        response = client.request("POST", url=f"{server.url}/in?x=1", headers={"webhook-id": "evt_1"}, content=b"{}")
    assert (response.status, response.body, response.truncated) == (201, b"hello", False)
    assert response.header("X-One") == "1"
    assert seen[0].startswith(b"POST /in?x=1 HTTP/1.1\r\nHost: " + server.host_port.encode())
    assert b"Accept-Encoding: identity" in seen[0]
    assert seen[0].endswith(b"{}")


def test_it_keeps_connections_to_a_host_alive(serve: Serve) -> None:
    server = serve(always(answer()))
    with Client(server.policy()) as client:
        for _ in range(3):
            client.request("POST", url=server.url, content=b"{}")
    assert server.connections == 1


def test_it_hands_a_redirect_back_and_does_not_follow(serve: Serve) -> None:
    seen: list[bytes] = []
    server = serve(always(answer("302 Found", headers=["Location: http://169.254.169.254/"]), seen=seen))
    with Client(server.policy()) as client:
        assert client.request("POST", url=server.url, content=b"{}").status == 302
    assert len(seen) == 1


def test_dripping_headers_end_with_the_deadline(serve: Serve) -> None:
    def drip(connection: Connection) -> None:
        connection.read_request()
        connection.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000, pause_s=0.05)

    server = serve(drip)
    with Client(server.policy(), total_timeout_s=0.5) as client:
        assert_late(client, server)


def test_a_dripping_body_ends_with_the_deadline(serve: Serve) -> None:
    def drip(connection: Connection) -> None:
        connection.read_request()
        connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        connection.drip(b"a" * 1000, pause_s=0.05)

    server = serve(drip)
    with Client(server.policy(), total_timeout_s=0.5) as client:
        assert_late(client, server)


def test_a_silent_server_ends_with_the_deadline(serve: Serve) -> None:
    def silent(connection: Connection) -> None:
        connection.read_request()
        connection.stopped.wait(10)

    server = serve(silent)
    with Client(server.policy(), total_timeout_s=0.5) as client:
        assert_late(client, server)


def test_endless_interim_answers_end_with_the_deadline(serve: Serve) -> None:
    def interim(connection: Connection) -> None:
        connection.read_request()
        while not connection.stopped.wait(0.02):
            connection.sock.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")

    server = serve(interim)
    with Client(server.policy(), total_timeout_s=0.5) as client:
        assert_late(client, server)


def test_a_name_server_that_hangs_ends_with_the_connect_timeout() -> None:
    released = threading.Event()

    def hang(host: str, port: int) -> list[str]:
        released.wait(10)
        return []

    started_at = time.monotonic()
    with Client(untrusted(), resolver=hang, connect_timeout_s=0.3) as client, pytest.raises(ConnectFailed):
        client.request("GET", url="https://hooks.example.com/")
    released.set()
    assert time.monotonic() - started_at < 1.5


def assert_late(client: Client, server: Server) -> None:
    started_at = time.monotonic()
    with pytest.raises(DeadlineExceeded) as late:
        client.request("POST", url=server.url, content=b"{}")
    assert 0.4 < time.monotonic() - started_at < 1.5
    assert late.value.retryable


def test_a_body_of_1_gb_is_cut_and_the_connection_closed(serve: Serve) -> None:
    sent_bytes = []

    def flood(connection: Connection) -> None:
        connection.read_request()
        connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            for _ in range(1_000_000_000 // 65_536):
                connection.sock.sendall(bytes(65_536))
                sent_bytes.append(65_536)
        finally:
            closed.set()

    closed = threading.Event()
    server = serve(flood)
    with Client(server.policy(), max_body_bytes=1000) as client:
        response = client.request("POST", url=server.url, content=b"{}")
        assert closed.wait(5)
    assert (len(response.body), response.truncated) == (1000, True)
    assert sum(sent_bytes) < 20_000_000  # socket buffers only


def test_a_compressed_answer_is_refused_unread(serve: Serve) -> None:
    bomb = zlib.compress(bytes(10_000_000))
    server = serve(always(answer(headers=["Content-Encoding: gzip"], body=bomb)))
    with Client(server.policy()) as client, pytest.raises(UnsupportedEncoding):
        client.request("POST", url=server.url, content=b"{}")


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"SSH-2.0-x\r\n\r\n"])
def test_a_broken_answer_is_a_lost_connection(serve: Serve, data: bytes) -> None:
    def broken(connection: Connection) -> None:
        connection.read_request()
        connection.sock.sendall(data)

    server = serve(broken)
    with Client(server.policy()) as client, pytest.raises(ConnectionLost):
        client.request("POST", url=server.url, content=b"{}")


def test_plain_text_on_a_tls_port_is_a_connect_failure_with_its_own_code(serve: Serve) -> None:
    def plain(connection: Connection) -> None:
        connection.sock.recv(65536)
        connection.sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = serve(plain)
    with Client(server.policy()) as client, pytest.raises(ConnectFailed) as failure:
        client.request("GET", url=server.url.replace("http:", "https:"))
    assert failure.value.code == "tls_failed"


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "connection", "Accept-Encoding"])
def test_a_caller_cannot_set_the_headers_that_frame_a_request(serve: Serve, name: str) -> None:
    server = serve(always(answer()))
    with Client(server.policy()) as client, pytest.raises(ValueError, match="itself"):
        client.request("POST", url=server.url, headers={name: "1"})


def test_a_line_break_in_a_header_is_refused(serve: Serve) -> None:
    server = serve(always(answer()))
    with Client(server.policy()) as client, pytest.raises(ValueError, match="forbids"):
        client.request("POST", url=server.url, headers={"X-A": "1\r\nX-B: 2"})


def test_no_error_text_names_host_address_or_query(serve: Serve) -> None:
    server = serve(lambda connection: None)
    for policy in (server.policy(), untrusted(development=True)):
        with Client(policy, connect_timeout_s=1) as client, pytest.raises(EgressError) as failure:
            client.request("POST", url=f"{server.url}/secret-path?token=secret", content=b"{}")
        shown = f"{failure.value!r}{failure.value}{failure.value.__cause__}"
        for private in ("127.0.0.1", str(server.port), "secret", "token"):
            assert private not in shown


def test_a_private_address_is_never_dialled(serve: Serve) -> None:
    server = serve(always(answer()))
    with Client(untrusted(development=True)) as client, pytest.raises(UrlBlocked):
        client.request("GET", url=f"http://127.0.0.1:{server.port}/")
    assert server.connections == 0

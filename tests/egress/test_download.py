"""Files from tenants' URLs: streamed, guarded at each hop, and gone after a failure."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from egress.facade import (
    Client,
    ConnectionLost,
    DeadlineExceeded,
    EgressError,
    HttpStatus,
    ResponseTooLarge,
    TooSlow,
    UnsupportedEncoding,
    UrlBlocked,
    untrusted,
)
from tests.egress.fakes import Connection, Handler, RecordingNetwork, Resolver, Server, always, answer

Serve = Callable[[Handler], Server]
LIMIT_BYTES = 1_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "source"


def redirect(url: str) -> Handler:
    return always(answer("302 Found", headers=[f"Location: {url}"]))


def refused(server: Server, *, path: Path, error: type[EgressError], client: Client | None = None) -> EgressError:
    with client or Client(server.policy()) as used, pytest.raises(error) as failure:
        used.download(server.url, to=path, max_bytes=LIMIT_BYTES)
    assert list(path.parent.iterdir()) == []
    return failure.value


def test_it_writes_the_file_and_tells_its_hash(serve: Serve, path: Path) -> None:
    body = bytes(range(256)) * 2000
    server = serve(always(answer(headers=["Content-Type: audio/wav"], body=body)))
    with Client(server.policy()) as client:
        download = client.download(server.url, to=path, max_bytes=LIMIT_BYTES)
    assert path.read_bytes() == body
    assert (download.size_bytes, download.content_type) == (len(body), "audio/wav")
    assert download.sha256_hex == hashlib.sha256(body).hexdigest()
    assert download.final_url_host == "127.0.0.1"
    assert [entry.name for entry in path.parent.iterdir()] == ["source"]


def test_it_follows_a_redirect_and_leaves_credentials_behind(serve: Serve, path: Path) -> None:
    seen: list[bytes] = []
    last = serve(always(answer(body=b"audio"), seen=seen))
    start = serve(redirect(f"{last.url}/a"))
    with Client(start.policy(last)) as client:
        client.download(start.url, to=path, max_bytes=100, headers={"Authorization": "Bearer x", "X-Key": "y"})
    assert b"Bearer" not in seen[0]
    assert b"X-Key" not in seen[0]


def test_it_keeps_credentials_on_the_same_origin(serve: Serve, path: Path) -> None:
    seen: list[bytes] = []

    def handle(connection: Connection) -> None:
        while request := connection.read_request():
            seen.append(request)
            first = request.startswith(b"GET /a ")
            hop = answer("307 Temporary Redirect", headers=["Location: b?c=1"])
            connection.sock.sendall(hop if first else answer(body=b"audio"))

    server = serve(handle)
    with Client(server.policy()) as client:
        client.download(f"{server.url}/a", to=path, max_bytes=100, headers={"Authorization": "Bearer x"})
    assert seen[1].startswith(b"GET /b?c=1 ")
    assert b"Bearer x" in seen[1]


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/", "//10.0.0.1/", "http://[::1]/"],
)
def test_a_redirect_to_a_private_place_is_blocked(serve: Serve, path: Path, location: str) -> None:
    refused(serve(redirect(location)), path=path, error=UrlBlocked)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://a.com/", "http://u@a.com/", "http://[::1"])
def test_a_redirect_to_another_kind_of_url_is_blocked(serve: Serve, path: Path, location: str) -> None:
    refused(serve(redirect(location)), path=path, error=UrlBlocked)


def test_a_redirect_from_https_to_http_is_blocked(path: Path) -> None:
    reply = answer("302 Found", headers=["Location: http://media.example.com/a"])
    network = RecordingNetwork(reply=reply)
    client = Client(untrusted(), resolver=Resolver(["8.8.8.8"]), network=network)
    with client, pytest.raises(UrlBlocked) as refusal:
        client.download("https://media.example.com/a", to=path, max_bytes=100)
    assert refusal.value.rule == "scheme"
    assert network.dialled == ["8.8.8.8"]


def test_a_redirect_loop_ends_after_three_hops(serve: Serve, path: Path) -> None:
    seen: list[bytes] = []
    server = serve(always(answer("302 Found", headers=["Location: /again"]), seen=seen))
    assert refused(server, path=path, error=HttpStatus).code == "http_status"
    assert len(seen) == 4


def test_a_declared_size_over_the_limit_is_refused_unread(serve: Serve, path: Path) -> None:
    def declare(connection: Connection) -> None:
        connection.read_request()
        connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        connection.stopped.wait(10)

    started_at = time.monotonic()
    refused(serve(declare), path=path, error=ResponseTooLarge)
    assert time.monotonic() - started_at < 2


def test_a_body_that_grows_over_the_limit_is_cut(serve: Serve, path: Path) -> None:
    def flood(connection: Connection) -> None:
        connection.read_request()
        connection.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not connection.stopped.is_set():
            connection.sock.sendall(b"10000\r\n" + bytes(65_536) + b"\r\n")

    refused(serve(flood), path=path, error=ResponseTooLarge)


def test_a_compressed_file_is_refused(serve: Serve, path: Path) -> None:
    server = serve(always(answer(headers=["Content-Encoding: gzip"], body=b"x")))
    refused(server, path=path, error=UnsupportedEncoding)


@pytest.mark.parametrize(("status", "retryable"), [("404 Not Found", False), ("503 Busy", True), ("206 Part", False)])
def test_another_status_is_told(serve: Serve, path: Path, status: str, retryable: bool) -> None:
    error = refused(serve(always(answer(status, body=b"x"))), path=path, error=HttpStatus)
    assert error.retryable is retryable
    assert status[:3] in str(error)


def test_half_a_file_is_a_lost_connection(serve: Serve, path: Path) -> None:
    def half(connection: Connection) -> None:
        connection.read_request()
        connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")

    refused(serve(half), path=path, error=ConnectionLost)


def dripping(*, head_first: bool) -> Handler:
    def drip(connection: Connection) -> None:
        connection.read_request()
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        if head_first:
            connection.sock.sendall(head)
        connection.drip(head + bytes(900), pause_s=0.05)

    return drip


def test_a_slow_sender_is_given_up(serve: Serve, path: Path) -> None:
    server = serve(dripping(head_first=True))
    refused(server, path=path, error=TooSlow, client=Client(server.policy(), speed_window_s=0.3))


def test_a_silent_sender_is_given_up(serve: Serve, path: Path) -> None:
    def silent(connection: Connection) -> None:
        connection.read_request()
        connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        connection.stopped.wait(10)

    server = serve(silent)
    refused(server, path=path, error=TooSlow, client=Client(server.policy(), speed_window_s=0.3))


def test_dripping_headers_end_long_before_the_download_would(serve: Serve, path: Path) -> None:
    server = serve(dripping(head_first=False))
    started_at = time.monotonic()
    refused(server, path=path, error=DeadlineExceeded, client=Client(server.policy(), total_timeout_s=0.5))
    assert time.monotonic() - started_at < 1.5


def test_the_whole_download_ends_with_its_deadline(serve: Serve, path: Path) -> None:
    server = serve(dripping(head_first=True))
    with Client(server.policy()) as client, pytest.raises(DeadlineExceeded):
        client.download(server.url, to=path, max_bytes=LIMIT_BYTES, total_timeout_s=0.5)
    assert list(path.parent.iterdir()) == []

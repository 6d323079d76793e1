"""Uploads through a real server: memory, refusals on the wire, clients that leave."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.facade import LocalStore, SignedRequest

KEY = "tenants/t_1/uploads/upl_1"
CHUNK = bytes(1_048_576)


class BlobServer:
    def __init__(self, process: subprocess.Popen[bytes], *, port: int) -> None:
        self.process = process
        self.port = port

    def peak_memory_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open_put(self, request: SignedRequest) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest("PUT", request.url.removeprefix("http://localhost"))
        for name, value in request.headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection


@contextmanager
def blob_server(folder: Path) -> Iterator[BlobServer]:
    argv = [sys.executable, "-m", "tests.storage.blob_server", str(folder), "30"]
    env = {"PYTHONPATH": ":".join(path or "." for path in sys.path)}
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, env=env)
    assert process.stdout is not None
    try:
        yield BlobServer(process, port=int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[BlobServer]:
    with blob_server(tmp_path / "store") as running:
        yield running


def upload(server: BlobServer, request: SignedRequest, *, size_bytes: int) -> int:
    connection = server.open_put(request)
    send(connection, megabytes=size_bytes // len(CHUNK))
    with connection.getresponse() as response:
        response.read()
    connection.close()
    return response.status


def send(connection: http.client.HTTPConnection, *, megabytes: int) -> None:
    for _ in range(megabytes):
        connection.send(CHUNK)


def signed(store: LocalStore, *, key: str = KEY, size_bytes: int) -> SignedRequest:
    return store.presign_put(key, size_bytes=size_bytes, content_type="audio/wav", expires_s=600)


@pytest.mark.parametrize("megabytes", [64, pytest.param(1024, marks=pytest.mark.long)])
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads peak memory from /proc")
def test_a_large_upload_does_not_grow_the_server(
    server: BlobServer, local_store: LocalStore, megabytes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    size_bytes = megabytes * len(CHUNK)
    assert upload(server, signed(local_store, key="warm/up", size_bytes=len(CHUNK)), size_bytes=len(CHUNK)) == 200
    before_bytes, before_s, started_at = server.peak_memory_bytes(), server.cpu_s(), time.monotonic()
    assert upload(server, signed(local_store, size_bytes=size_bytes), size_bytes=size_bytes) == 200
    grown_mb = (server.peak_memory_bytes() - before_bytes) / 1e6
    cpu_s, wall_s = server.cpu_s() - before_s, time.monotonic() - started_at
    with capsys.disabled():
        print(f"\nPUT {megabytes} MB: grew {grown_mb:.1f} MB, {cpu_s:.2f} s CPU, {wall_s:.2f} s")  # noqa: T201
    assert grown_mb <= 8
    info = local_store.stat(KEY)
    assert info is not None
    assert info.size_bytes == size_bytes


def test_a_refused_upload_gets_its_answer_while_still_sending(server: BlobServer, local_store: LocalStore) -> None:
    request = signed(local_store, size_bytes=10**9)
    request.headers["Content-Type"] = "text/html"
    connection = server.open_put(request)
    with pytest.raises(OSError, match=r"reset|pipe"):
        send(connection, megabytes=1000)
    with connection.getresponse() as response:
        assert response.status == 415
        assert b"content_type_mismatch" in response.read()
    connection.close()


def test_a_client_with_expect_sends_no_byte_of_a_refused_body(server: BlobServer, local_store: LocalStore) -> None:
    request = signed(local_store, size_bytes=10**9)
    request.headers.update({"Content-Type": "text/html", "Expect": "100-continue"})
    connection = server.open_put(request)
    with connection.getresponse() as response:
        assert response.status == 415
    connection.close()


def test_a_client_that_dies_leaves_nothing(server: BlobServer, local_store: LocalStore, tmp_path: Path) -> None:
    connection = server.open_put(signed(local_store, size_bytes=10**9))
    send(connection, megabytes=4)
    temporary = tmp_path / "store" / "tmp"
    until(lambda: any(temporary.iterdir()))
    assert connection.sock is not None
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
    connection.close()
    until(lambda: not any(temporary.iterdir()))
    assert local_store.stat(KEY) is None


def test_a_download_that_is_left_does_not_stop_the_server(server: BlobServer, local_store: LocalStore) -> None:
    local_store.put_bytes(KEY, data=bytes(20_000_000), content_type="audio/wav")
    url = local_store.presign_get(KEY, expires_s=60).url.removeprefix("http://localhost")
    left = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    left.request("GET", url)
    left.getresponse().read(1000)
    left.close()
    whole = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    whole.request("GET", url)
    assert len(whole.getresponse().read()) == 20_000_000
    whole.close()


def until(condition: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.02)  # another process offers nothing to await

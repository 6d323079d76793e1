"""A loopback server under full control of the test, and a network that records instead of dialling."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from egress.facade import Policy, untrusted


class Connection:
    """One accepted connection; `stopped` is set when the test is over."""

    def __init__(self, sock: socket.socket, *, stopped: threading.Event) -> None:
        self.sock = sock
        self.stopped = stopped
        self._received = b""

    def read_request(self) -> bytes:
        """Returns one request's head and body, empty at the end of the connection."""
        while b"\r\n\r\n" not in self._received:
            chunk = self.sock.recv(65536)
            if not chunk:
                return b""
            self._received += chunk
        head, _, rest = self._received.partition(b"\r\n\r\n")
        lengths = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        while len(rest) < sum(lengths):
            rest += self.sock.recv(65536)
        self._received = b""
        return head + b"\r\n\r\n" + rest

    def drip(self, data: bytes, *, pause_s: float) -> None:
        for position in range(len(data)):
            if self.stopped.wait(pause_s):
                return
            self.sock.sendall(data[position : position + 1])


Handler = Callable[[Connection], None]


class Server:
    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.stopped = threading.Event()
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.host_port = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host_port}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def policy(self, *others: Server) -> Policy:
        return untrusted(allow={self.host_port, *(other.host_port for other in others)}, development=True)

    def close(self) -> None:
        self.stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=10)
            assert not thread.is_alive()
        self._listener.close()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(10)
        with sock:
            try:
                self.handler(Connection(sock, stopped=self.stopped))
            except OSError:
                return


def answer(status: str = "200 OK", *, headers: Iterable[str] = (), body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def always(data: bytes, *, seen: list[bytes] | None = None) -> Handler:
    """A handler that gives the same answer to every request of a kept-alive connection."""

    def handle(connection: Connection) -> None:
        while request := connection.read_request():
            if seen is not None:
                seen.append(request)
            connection.sock.sendall(data)

    return handle


class FakeStream(httpcore.MockStream):
    def __init__(self, number: str, *, buffer: list[bytes]) -> None:
        super().__init__(buffer)
        self._number = number
        self.closed = False

    def get_extra_info(self, info: str) -> Any:
        return (self._number, 443) if info == "server_addr" else None

    def close(self) -> None:
        self.closed = True
        super().close()


class RecordingNetwork(httpcore.NetworkBackend):
    """Writes down each number and never opens a socket; `peer` is who claims to have answered."""

    def __init__(self, *, peer: str | None = None, refused: frozenset[str] = frozenset(), reply: bytes = b"") -> None:
        self.dialled: list[str] = []
        self.streams: list[FakeStream] = []
        self._peer = peer
        self._refused = refused
        self._reply = reply or answer("204 No Content")

    def connect_tcp(self, host: str, port: int, *options: Any, **more: Any) -> httpcore.NetworkStream:
        self.dialled.append(host)
        if host in self._refused:
            raise httpcore.ConnectError("refused")
        self.streams.append(FakeStream(self._peer or host, buffer=[self._reply]))
        return self.streams[-1]


class Resolver:
    """Answers each look-up with the next list, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.lookups = 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.lookups += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

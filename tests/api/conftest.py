"""Alice owns things and Charlie must never see them: tenants of the running stack."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import psycopg
import pytest
from stack import Stack, Tenant

from tests.api.clouds import clouds, running_clouds  # noqa: F401  # fixtures
from tests.api.media import tone
from workers.embedded.home import Home


@pytest.fixture(scope="session")
def alice_http(stack: Stack) -> Tenant:
    return stack.tenant("alice")


@pytest.fixture(scope="session")
def charlie_http(stack: Stack) -> Tenant:
    return stack.tenant("charlie")


@pytest.fixture(scope="session")
def quiet_http(stack: Stack) -> Tenant:
    """For tests that compare usage: each waits for the end of whatever it started."""
    return stack.tenant("quiet")


@pytest.fixture(scope="session")
def operator_http(stack: Stack) -> httpx.Client:
    """A client with an operator's key."""
    return stack.client(json.loads(stack.parlance("operator", "create", "tests", "--json"))["operator_key"])


@pytest.fixture
def nobody_http(stack: Stack) -> httpx.Client:
    """A client without a key."""
    return stack.client(None)


@pytest.fixture(scope="session")
def clip() -> bytes:
    """One second of a 16 kHz tone as WAV."""
    return tone()


@pytest.fixture(scope="session")
def new_key(stack: Stack) -> Callable[..., dict[str, Any]]:
    """Makes a key of a tenant as an operator would; returns its id and secret."""

    def make(tenant: Tenant, *options: str) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(stack.parlance("key", "create", tenant.id, "--json", *options))
        return made

    return make


@pytest.fixture
def database(stack: Stack) -> Iterator[psycopg.Connection[Any]]:
    """The stack's database as its owner sees it."""
    with psycopg.connect(Home(stack.home).state()["env"]["DATABASE_OWNER_URL"], autocommit=True) as connection:
        yield connection


class FileServer:
    """Serves bytes by path, and redirects, and takes events, at the one private address that the stack may call."""

    def __init__(self, port: int) -> None:
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.asked: list[str] = []
        self.posted: list[tuple[str, dict[str, str], bytes]] = []
        self.replies: dict[str, Callable[[bytes], tuple[int, bytes]]] = {}
        files, redirects, asked, posted, replies = self.files, self.redirects, self.asked, self.posted, self.replies

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                body = files.get(self.path, b"")
                self.send_response(302 if self.path in redirects else 200 if self.path in files else 404)
                if self.path in redirects:
                    self.send_header("Location", redirects[self.path])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posted.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                status, answer = replies[self.path](body) if self.path in replies else (200, b"")
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # who asked may have stopped waiting
                    self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{port}"

    def serve(self, path: str, body: bytes) -> str:
        """The URL of these bytes."""
        self.files[path] = body
        return self.url + path

    def reply(self, path: str, answer: Callable[[bytes], tuple[int, bytes]]) -> str:
        """The URL whose POSTs are answered so."""
        self.replies[path] = answer
        return self.url + path

    def redirect(self, path: str, target: str) -> str:
        """The URL that leads to the target."""
        self.redirects[path] = target
        return self.url + path

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="session")
def file_server(stack: Stack) -> Iterator[FileServer]:
    server = FileServer(int(stack._environ["PARLANCE_EGRESS_ALLOW"].rpartition(":")[2]))
    yield server
    server.close()

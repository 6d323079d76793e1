"""A clean outbox for each test, receivers on loopback, and the routes as a client sees them."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest


@dataclass
class Reply:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # five, the default, turn a busy sender's connections away


class Receiver:
    """A receiver that keeps what it got; `reply` may be changed, `hold` makes it hang until released."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.got: list[Received] = []
        self.hold: threading.Event | None = None
        self.arrived = threading.Semaphore(0)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(Received({name.lower(): value for name, value in self.headers.items()}, body))
                receiver.arrived.release()
                if receiver.hold is not None:
                    receiver.hold.wait(30)
                try:
                    receiver.answer(self)
                except OSError:
                    self.close_connection = True  # the sender gave up on us, as it should

            def log_message(self, *_: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.host_port = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host_port}/hook?token=url-canary"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(self.reply.status)
        for name, value in {"content-length": str(len(self.reply.body)), **self.reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(self.reply.body)

    def wait(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.arrived.acquire(timeout=15), "the receiver got nothing"

    def close(self) -> None:
        if self.hold is not None:
            self.hold.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receivers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Receiver]]:
    """Makes receivers that the settings allow, and no others."""
    from django.conf import settings

    from webhooks import destinations

    made: list[Receiver] = []

    def start() -> Receiver:
        made.append(Receiver())
        allowed = frozenset(receiver.host_port for receiver in made)
        monkeypatch.setattr(settings, "EGRESS_ALLOW", allowed)
        monkeypatch.setattr(settings, "MODE", "development")
        destinations.policy.cache_clear()
        return made[-1]

    yield start
    destinations.policy.cache_clear()
    for receiver in made:
        receiver.close()


@pytest.fixture
def receiver(receivers: Callable[[], Receiver]) -> Receiver:
    return receivers()


@pytest.fixture(autouse=True)
def clean_outbox(migrated: None) -> None:
    """Senders see all tenants: whatever other tests left must not be sent here."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute("TRUNCATE outbox_event, delivery, delivery_attempt, webhook_endpoint")
        cursor.execute("TRUNCATE kept_answer, webhook_replay, alert_address, mail_outbox")


@pytest.fixture
def publish(alice: Any) -> Callable[..., UUID]:
    """Publishes an event of Alice's tenant (or another person's) as the job's own transaction would."""
    from apikit.ids import new_id
    from events.facade import publish as publish_event
    from tenants.facade import tenant_context

    def do(kind: str = "transcription.completed", *, by: Any = alice, livemode: bool = True, number: int = 1) -> UUID:
        data = {"object": "transcription", "number": number}
        with tenant_context(by.tenant):
            return publish_event(
                kind, tenant_id=by.id, livemode=livemode, subject_id=new_id(), sequence=number, data=data
            )

    return do


@pytest.fixture
def endpoint(alice: Any, receiver: Receiver) -> Any:
    """Alice's endpoint for every event, at `receiver`."""
    from webhooks.services import create_endpoint

    return create_endpoint(alice.caller, url=receiver.url, event_types=["*"])


@pytest.fixture
def rows() -> Callable[..., list[dict[str, Any]]]:
    """All rows of a table as the system sees them."""
    from django.db import connections

    def read(sql: str, values: Any = ()) -> list[dict[str, Any]]:
        with connections["system"].cursor() as cursor:
            cursor.execute(sql, values)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return read


@pytest.fixture
def rewind() -> Callable[[], None]:
    """Lets time pass for the schedule: every open delivery is due and every lease has ended."""
    from django.db import connections

    def do() -> None:
        with connections["system"].cursor() as cursor:
            cursor.execute(
                "UPDATE delivery SET next_attempt_at = now() - interval '1 second' WHERE state IN ('pending', 'leased')"
            )
            cursor.execute("UPDATE webhook_endpoint SET next_due_at = now(), paused_until = NULL")

    return do


class Http:
    """Calls the routes as one caller and returns status and JSON."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __call__(self, person: Any, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        caller = getattr(person, "caller", person)
        answer = self._client.request(method, path.removeprefix("/v1"), json=body, scope={"parlance.caller": caller})
        return answer.status_code, answer.json()


@pytest.fixture(scope="session")
def http(migrated: None) -> Http:
    from ninja.testing import TestClient

    from config.api import api

    return Http(TestClient(api))


@pytest.fixture
def bob(alice: Any) -> Any:
    """Shares Alice's tenant, with a key of his own."""
    from tenants.facade import authenticate, create_key

    secret = create_key(alice.id).secret
    return dataclasses.replace(alice, caller=authenticate(secret, address="127.0.0.1"), secret=secret)


@pytest.fixture
def sender() -> Any:
    """Starts `run_sender` in a thread and stops it at the end."""
    from webhooks.facade import run_sender

    stop, wake, threads = threading.Event(), threading.Event(), []

    def run() -> None:
        run_sender(stop, wake=wake)

    def start() -> threading.Event:
        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return wake

    yield start
    stop.set()
    wake.set()
    for thread in threads:
        thread.join(15)
        assert not thread.is_alive()

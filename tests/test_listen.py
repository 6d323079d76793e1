"""`parlance listen` as a developer runs it: a stack or an API that fails on purpose, and a receiver on loopback."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import psycopg
import pytest
from stack import Stack, Tenant, bare_environment, free_port
from standardwebhooks import Webhook

from workers.cli import relay
from workers.embedded.home import Home

PATIENCE_S = 30


class Server:
    """Answers on loopback as `reply` says: a function from the path to status, headers and body."""

    def __init__(self, reply: Callable[[str], tuple[int, dict[str, str], bytes]], *, port: int = 0) -> None:
        self.got: SimpleQueue[tuple[str, dict[str, str], bytes]] = SimpleQueue()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                server.got.put((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                status, headers, answer = reply(self.path)
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def next(self) -> tuple[str, dict[str, str], bytes]:
        return self.got.get(timeout=PATIENCE_S)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Listener:
    """The running command; what it prints is read line by line."""

    def __init__(self, *options: str, folder: Path) -> None:
        command = [sys.executable, "-m", "workers.cli", "listen", *options]
        environ = bare_environment() | {"XDG_STATE_HOME": str(folder)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, env=environ, text=True, **pipes)  # type: ignore[call-overload]  # its own names

    def line(self, event: str) -> dict[str, Any]:
        """The next line, which must be this event."""
        text = self.process.stdout.readline()
        assert text, self.process.stderr.read()
        found: dict[str, Any] = json.loads(text)
        assert found["event"] == event
        return found

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.end()

    def end(self) -> int:
        code = int(self.process.wait(timeout=PATIENCE_S))
        self.output, self.errors = self.process.stdout.read(), self.process.stderr.read()
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(reply: Callable[[str], tuple[int, dict[str, str], bytes]], **options: Any) -> Server:
        servers.append(Server(reply, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def listen(tmp_path: Path) -> Iterator[Callable[..., Listener]]:
    running: list[Listener] = []

    def start(*options: str, as_json: bool = True) -> Listener:
        running.append(Listener(*options, *(["--json"] if as_json else []), folder=tmp_path / "state"))
        return running[-1]

    yield start
    for each in running:
        each.close()


@pytest.fixture(scope="module")
def developer(stack: Stack) -> Tenant:
    return stack.tenant("developer")


@pytest.fixture
def happen(stack: Stack, developer: Tenant) -> Callable[[], str]:
    """Makes an event of the developer's tenant; returns its id once it has a position."""
    allowed = stack._environ["PARLANCE_EGRESS_ALLOW"]
    wanted = {"url": f"http://{allowed}/nobody-listens", "event_types": ["wallet.low"]}
    endpoint = developer.live.post("/v1/webhook-endpoints", json=wanted).json()["id"]

    def do() -> str:
        made = str(developer.live.post(f"/v1/webhook-endpoints/{endpoint}/test").json()["id"])
        for _ in range(2_000):
            if developer.live.get(f"/v1/events/{made}").json()["position"]:
                return made
        raise AssertionError("the event got no position")

    return do


@pytest.fixture
def stored(stack: Stack) -> Callable[[str], bytes]:
    """The stored bytes of an event, which deliveries carry."""

    def read(sent: dict[str, str]) -> bytes:
        from apikit import ids

        with psycopg.connect(Home(stack.home).state()["env"]["DATABASE_OWNER_URL"]) as connection:
            [row] = connection.execute(
                "SELECT body FROM outbox_event WHERE id = %s", [ids.parse(ids.EVENT, sent["webhook-id"])]
            ).fetchall()
            return bytes(row[0])

    return read  # type: ignore[return-value]


def fine(_: str) -> tuple[int, dict[str, str], bytes]:
    return 204, {}, b""


def test_every_event_arrives_signed_as_a_delivery_is(
    stack: Stack, developer: Tenant, listen: Any, serve: Any, happen: Any, stored: Any
) -> None:
    receiver = serve(fine)
    running = listen("--url", stack.url, "--to", f"{receiver.url}/hooks?x=1", "--key", developer.api_key)
    secret = running.line("listen.ready")["secret"]
    happened = [happen() for _ in range(3)]
    for event_id in happened:
        path, headers, body = receiver.next()
        assert (path, headers["webhook-id"], headers["content-type"]) == ("/hooks?x=1", event_id, "application/json")
        assert Webhook(secret).verify(body, headers)["type"] == "webhook_endpoint.test"
        assert body == stored(headers)
        line = running.line("listen.sent")
        assert (line["id"], line["status"], line["type"]) == (event_id, "204", "webhook_endpoint.test")
    assert running.stop() == 0
    assert running.errors == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_goes_on_where_it_stopped_with_the_same_secret(
    stack: Stack, developer: Tenant, listen: Any, serve: Any, happen: Any, number: int, tmp_path: Path
) -> None:
    receiver = serve(fine)
    options = ("--url", stack.url, "--to", receiver.url, "--key", developer.api_key)
    first = listen(*options)
    secret = first.line("listen.ready")["secret"]
    happen()
    receiver.next()
    position = first.line("listen.sent")["position"]
    assert first.stop(number) == 0
    assert json.loads(first.output) == {"event": "listen.stopped", "position": position}
    missed = [happen(), happen()]
    second = listen(*options)
    assert second.line("listen.ready") | {"url": "", "to": ""} == {
        "event": "listen.ready", "url": "", "to": "", "secret": secret, "after": position,
    }  # fmt: skip
    assert [receiver.next()[1]["webhook-id"] for _ in missed] == missed
    [file] = (tmp_path / "state" / "parlance" / "listen").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert developer.api_key not in file.read_text("utf-8")


def test_it_begins_anywhere_and_waits_for_a_receiver_that_is_away(
    stack: Stack, listen: Any, serve: Any, happen: Any, developer: Tenant
) -> None:
    happened, port = [happen(), happen()], free_port()
    listing = developer.live.get("/v1/events", params={"limit": 2}).json()["data"]
    before = str(listing[-1]["position"] - 1)
    to = f"http://localhost:{port}/"
    running = listen("--url", stack.url, "--to", to, "--key", developer.api_key, "--after", before)
    running.line("listen.ready")
    assert "does not answer (ConnectError)" in running.process.stderr.readline()
    statuses = iter([500, 302])
    receiver = serve(lambda _: (next(statuses), {"location": "/other"}, b""), port=port)
    assert [receiver.next()[1]["webhook-id"] for _ in happened] == happened
    # An answer that is no 2xx is shown and not repeated, and a redirect is not followed.
    assert [running.line("listen.sent")["status"] for _ in happened] == ["500", "302"]
    assert running.stop() == 0
    assert receiver.got.empty()


def test_it_outlasts_an_api_that_fails(listen: Any, serve: Any) -> None:
    event = {"id": "evt_1", "type": "a.b", "created_at": "2026-11-23T09:00:00.000Z", "position": 7, "data": {"이": 1}}
    page = json.dumps({"data": [event]}).encode()
    answers = iter(
        [(503, {"retry-after": "0"}, b""), (200, {}, page), (429, {"retry-after": "0"}, b""), (502, {}, b"<html>")]
    )
    asked = SimpleQueue[str]()

    def reply(path: str) -> tuple[int, dict[str, str], bytes]:
        asked.put(path)
        return next(answers, (200, {}, page if "after=6" in path else b'{"data": []}'))

    port, receiver = free_port(), serve(fine)
    running = listen("--url", f"http://127.0.0.1:{port}", "--to", receiver.url, "--key", "k", "--after", "6")
    assert "The API does not answer (ConnectError)" in running.process.stderr.readline()
    api = serve(reply, port=port)
    assert running.line("listen.ready")["after"] == 6
    assert json.loads(receiver.next()[2])["data"] == {"이": 1}
    assert running.line("listen.sent")["position"] == 7
    assert running.stop() == 0
    assert api.next()[1]["authorization"] == "Bearer k"
    paths = [asked.get() for _ in range(5)]
    assert paths == ["/v1/events?limit=1"] * 2 + ["/v1/events?after=6&limit=100"] * 3


def test_people_read_one_line_per_event(listen: Any, serve: Any) -> None:
    event = {"id": "evt_1", "type": "a.b", "created_at": "2026-11-23T09:00:00.000Z", "position": 7, "data": {}}
    pages = iter([[event], [event]])  # the newest, and what comes after the position
    api = serve(lambda _: (200, {}, json.dumps({"data": next(pages, [])}).encode()))
    receiver = serve(fine)
    running = listen("--url", api.url, "--to", receiver.url, "--key", "k", "--after", "6", as_json=False)
    assert running.process.stdout.readline() == f"Forwarding events of {api.url} to {receiver.url}, after position 6.\n"
    secret = running.process.stdout.readline().split()[4].rstrip(".")
    _, headers, body = receiver.next()
    assert Webhook(secret).verify(body, headers)["type"] == "a.b"
    assert running.process.stdout.readline().startswith("204  a.b  evt_1  ")
    for _ in range(3):
        api.next()  # it has asked for more, so the line above is done with
    assert running.stop() == 0
    assert running.output == "Stopped after position 7; the same command goes on from there.\n"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, b'{"code": "invalid_key", "detail": "No such key. Make one."}', "invalid_key"),
        (302, b"", "unexpected_answer"),
        (404, b"<html>", "unexpected_answer"),
    ],
)
def test_it_says_why_the_api_refuses_and_ends(listen: Any, serve: Any, status: int, body: bytes, code: str) -> None:
    elsewhere = serve(fine)
    api = serve(lambda _: (status, {"location": elsewhere.url}, body))
    running = listen("--url", api.url, "--to", elsewhere.url, "--key", "k")
    assert running.end() == 1
    assert json.loads(running.errors)["error"] == code
    assert elsewhere.got.empty()


def test_a_real_refusal_carries_the_apis_own_words(stack: Stack, listen: Any) -> None:
    running = listen("--url", stack.url, "--to", "http://127.0.0.1:1/", "--key", "parl_live_x")
    assert running.end() == 1
    assert json.loads(running.errors)["error"] != "unexpected_answer"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "http://10.0.0.1/", "http://0.0.0.0/", "http://localhost.example.com/", "ftp://127.0.0.1/",
        "http://[::ffff:10.0.0.1]/", "http://127.0.0.1@example.com/", "http://2130706433/", "127.0.0.1:3000", "",
    ],
)  # fmt: skip
def test_only_this_machine_may_be_a_target(url: str) -> None:
    with pytest.raises(ValueError, match="this machine"):
        relay.local_url(url)


@pytest.mark.parametrize(
    "url", ["http://localhost:3000/", "http://127.0.0.1/a?b", "http://127.9.9.9/", "https://[::1]/"]
)
def test_this_machine_may_be_a_target_by_its_usual_names(url: str) -> None:
    assert relay.local_url(url) == url


def test_a_wrong_target_ends_before_any_call(listen: Any, serve: Any) -> None:
    api = serve(fine)
    running = listen("--url", api.url, "--to", "http://example.com/", "--key", "k")
    assert running.end() == 2
    assert "--to" in running.errors
    assert api.got.empty()

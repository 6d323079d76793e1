"""Planted words: what must stay secret is looked for in every log, every stored value and every answer of a stack."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from stack import Stack, Tenant

from tests.api.calls import transcribe
from tests.api.media import tone
from workers.embedded.home import Home

# Each is a word of its own, so that a hit says what leaked.
URL_TOKEN, HEADER, NEW_HEADER = "canary-url-token", "canary-first-header", "canary-second-header"
ANSWER, METADATA, TEXT, WRONG = "canary-answer", "canary-metadata", "canaryspokenword", "canary-wrong"


class Receiver:
    """Says no with a word of its own and keeps what it was sent."""

    def __init__(self) -> None:
        self.got: list[str] = []
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                got.append(f"{self.path}\n{self.headers}\n{body.decode()}")
                self.send_response(500, ANSWER)
                self.send_header("server", ANSWER)
                self.end_headers()
                self.wfile.write(ANSWER.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.host_port = f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass
class World:
    """What happened, and where its traces can be."""

    stack: Stack
    tenant: Tenant
    receiver: Receiver
    secrets: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)

    @property
    def api(self) -> httpx.Client:
        return self.tenant.live

    def logs(self) -> str:
        return "\n".join(path.read_text("utf-8", "replace") for path in Home(self.stack.home).logs.iterdir())

    def stored(self, *, schema: str) -> str:
        """Every value of every table of the schemas that match, bytes as they are."""
        found: list[str] = []
        environ = Home(self.stack.home).state()["env"]
        for url in (environ["DATABASE_OWNER_URL"], environ["DATABASE_SYSTEM_URL"]):
            with psycopg.connect(url, autocommit=True) as connection:
                found += _values(connection, schema=schema)
        return "\n".join(found)


def _values(connection: psycopg.Connection[Any], *, schema: str) -> Iterator[str]:
    tables = connection.execute(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
        " AND table_schema LIKE %s AND has_table_privilege(format('%%I.%%I', table_schema, table_name), 'SELECT')",
        [schema],
    ).fetchall()
    for names in tables:
        query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(*names))
        for row in connection.execute(query):
            yield "\n".join(bytes(value).decode("latin-1") if isinstance(value, bytes) else str(value) for value in row)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="parlance-canary-"))
    folder.chmod(0o755)  # the database's own user must be able to enter
    receiver = Receiver()
    stack = Stack(folder / "home", environ={"PARLANCE_EGRESS_ALLOW": receiver.host_port})
    try:
        stack.start()
        made = World(stack, stack.tenant("keeper"), receiver)
        _live(made)
        yield made
    finally:
        stack.stop()
        receiver.close()
        shutil.rmtree(folder, ignore_errors=True)


def _live(world: World) -> None:
    """A life with webhooks: refusals, failed deliveries, a rotation, a receiver that is gone."""
    wanted = {
        "url": f"http://{world.receiver.host_port}/hook?token={URL_TOKEN}", "event_types": ["*"], "include": ["text"],
        "headers": {"Authorization": f"Bearer {HEADER}"}, "signature": "v1+v1a", "schedule": [0, 86_400],
    }  # fmt: skip
    endpoint = world.api.post("/v1/webhook-endpoints", json=wanted).json()
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    _refuse(world, path, wanted)
    transcribe(world.api, tone(), simulate=f"says:{TEXT}", metadata=json.dumps({"note": METADATA}))
    _await_failures(world, count=1)
    rotated = world.api.post(f"{path}/rotate-secret", json={"overlap_hours": 1}).json()
    world.api.patch(path, json={"headers": {"X-Token": NEW_HEADER}})
    world.api.post(f"{path}/test")
    _await_failures(world, count=2)
    world.receiver.close()
    world.api.post(f"{path}/test")
    _await_failures(world, count=3)
    job_secret = world.api.get("/v1/webhook-endpoints/job-secret").json()["secret"]
    world.secrets += [endpoint["secret"], rotated["secret"], job_secret]
    _read(world, path)


def _refuse(world: World, path: str, wanted: dict[str, Any]) -> None:
    wrong: list[dict[str, Any]] = [
        {"url": f"http://user:{WRONG}@10.0.0.1/hook?token={WRONG}"},
        {"url": f"https://{WRONG}/"},
        {"headers": {"Authorization": f"{WRONG}é"}},
        {"headers": {"Host": WRONG}},
        {"headers": {"X-Token": [WRONG]}},
        {"secret": WRONG},
    ]
    for change in wrong:
        for answer in (
            world.api.post("/v1/webhook-endpoints", json=wanted | change),
            world.api.patch(path, json=change),
        ):
            assert answer.status_code == 422, answer.text
            world.refusals.append(answer.text)
    world.refusals.append(world.api.get("/v1/events", headers={"Authorization": f"Bearer {WRONG}"}).text)


def _await_failures(world: World, *, count: int) -> None:
    """Return when so many deliveries have failed at least once."""
    for _ in range(5_000):
        rows = world.api.get("/v1/deliveries").json()["data"]
        if len([row for row in rows if row["attempt_count"] and row["state"] != "sending"]) >= count:
            return
    raise AssertionError("the delivery was not tried")


def _read(world: World, path: str) -> None:
    rows = world.api.get("/v1/deliveries").json()["data"]
    world.attempts += [world.api.get(f"/v1/deliveries/{row['id']}").text for row in rows]
    world.lists += [world.api.get(each).text for each in ("/v1/webhook-endpoints", "/v1/deliveries", "/v1/events")]


def _hits(text: str, words: list[str]) -> list[str]:
    return [word for word in words if word in text]


def _bare(secrets: list[str]) -> list[str]:
    """Secrets as they are shown, and without their prefix."""
    return [*secrets, *(secret.partition("_")[2] for secret in secrets)]


def test_everything_was_planted(world: World) -> None:
    """Else the tests below could not fail."""
    sent = "\n".join(world.receiver.got)
    assert _hits(sent, [URL_TOKEN, HEADER, NEW_HEADER, METADATA]) == [URL_TOKEN, HEADER, NEW_HEADER, METADATA]
    assert len(set(world.secrets)) == 3
    assert any(ANSWER in attempts for attempts in world.attempts)
    assert any("connect_failed" in attempts for attempts in world.attempts)
    public, own = world.stored(schema="public"), world.stored(schema="t\\_%")
    assert "webhook_endpoint.test" in public
    assert _hits(own, [METADATA, TEXT]) == [METADATA, TEXT]
    assert URL_TOKEN in own
    assert '"event"' in world.logs()


def test_no_log_holds_any_of_it(world: World) -> None:
    words = [URL_TOKEN, HEADER, NEW_HEADER, ANSWER, METADATA, TEXT, WRONG, *_bare(world.secrets)]
    assert _hits(world.logs(), words) == []


def test_no_stored_value_holds_a_secret_in_clear(world: World) -> None:
    sealed = [HEADER, NEW_HEADER, ANSWER, WRONG, *_bare(world.secrets)]
    assert _hits(world.stored(schema="%"), sealed) == []
    assert _hits(world.stored(schema="public"), [URL_TOKEN, TEXT]) == []


def test_no_attempt_shows_what_was_sent_along(world: World) -> None:
    words = [URL_TOKEN, HEADER, NEW_HEADER, TEXT, *_bare(world.secrets), *_signatures(world)]
    assert _hits("\n".join(world.attempts), words) == []


def test_lists_show_neither_secrets_nor_header_values(world: World) -> None:
    words = [HEADER, NEW_HEADER, TEXT, *_bare(world.secrets), *_signatures(world)]
    assert _hits("\n".join(world.lists), words) == []


def test_no_refusal_repeats_what_was_refused(world: World) -> None:
    assert len(world.refusals) == 13
    assert [refusal for refusal in world.refusals if WRONG in refusal] == []


def _signatures(world: World) -> list[str]:
    found = [part for got in world.receiver.got for part in got.split() if part.startswith(("v1,", "v1a,"))]
    assert len(found) >= 4
    return found

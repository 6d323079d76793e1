"""A new user's receiver, a process of its own, gets every event across a restart of everything and a rotation."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import httpx
import pytest
from stack import Stack, Tenant, free_port

from tests.api.calls import ended, order
from tests.api.media import tone

PROGRAM = Path(__file__).parents[2] / "docs" / "webhooks" / "receiver.py"
LONGEST_PROGRAM = 20  # lines with something in them
PATIENCE_S = 60


@dataclass(frozen=True)
class Line:
    """What the receiver prints for an event that it has verified."""

    event_id: str
    event_type: str
    subject: str


class Receiver:
    """The program of the documentation; its own log tells what it answered."""

    def __init__(self, port: int, secret: Path, *, lines: SimpleQueue[Line]) -> None:
        command = [sys.executable, "-u", str(PROGRAM), str(port), str(secret)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._lines = lines
        self.log: list[str] = []
        self._readers = [threading.Thread(target=self._read), threading.Thread(target=self._read_log)]
        for reader in self._readers:
            reader.start()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(Line(*line.split()))

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        self.log += iter(self._process.stderr)


class World:
    """A stack of its own that may be stopped, a tenant, and the receiver's present process."""

    def __init__(self, folder: Path) -> None:
        port, self.secret = free_port(), folder / "secret.txt"
        self.url = f"http://127.0.0.1:{port}/hooks"
        self._port, self._lines = port, SimpleQueue[Line]()
        settings = {"PARLANCE_EGRESS_ALLOW": f"127.0.0.1:{port}", "PARLANCE_LEASE_S": "5"}
        self.stack = Stack(folder / "home", environ=settings)
        self.stack.start()
        self.tenant: Tenant = self.stack.tenant("newcomer")
        self.receivers: list[Receiver] = []

    @property
    def api(self) -> httpx.Client:
        return self.tenant.live

    def know(self, secret: str) -> None:
        """Deploy a secret to the receiver."""
        self.secret.write_text(f"{secret}\n", "ascii")

    def receive(self) -> None:
        """Start the receiver, anew when there was one."""
        self.stop_receiver()
        self.receivers.append(Receiver(self._port, self.secret, lines=self._lines))

    def line(self) -> Line:
        """The next event that a receiver verified."""
        return self._lines.get(timeout=PATIENCE_S)

    def await_line(self, event_id: str) -> Line:
        """The next line of this event; whatever else comes again in between is no fault."""
        while (line := self.line()).event_id != event_id:
            pass
        return line

    def answers(self) -> list[str]:
        """The log's line of every request so far, of all the receiver's processes."""
        return [line for each in self.receivers for line in each.log if '"POST /hooks' in line]

    def stop_receiver(self) -> None:
        if self.receivers:
            self.receivers[-1].close()

    def close(self) -> None:
        self.stop_receiver()
        self.stack.stop()


@pytest.fixture
def world() -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="parlance-journey-"))
    folder.chmod(0o755)  # the database's own user must be able to enter
    made = World(folder)
    yield made
    made.close()
    shutil.rmtree(folder, ignore_errors=True)


def test_the_receiver_of_the_documentation_is_short() -> None:
    assert len([line for line in PROGRAM.read_text("utf-8").splitlines() if line.strip()]) <= LONGEST_PROGRAM


@pytest.mark.timeout(300)
def test_a_new_users_receiver_gets_everything_and_fails_no_verification(world: World) -> None:
    wanted = {"url": world.url, "event_types": ["transcription.*", "webhook_endpoint.*"]}
    endpoint = world.api.post("/v1/webhook-endpoints", json=wanted).json()
    world.know(endpoint["secret"])
    world.receive()
    first = [_job(world.api, number) for number in range(3)]
    seen = [world.line() for _ in first]
    assert {(line.event_type, line.subject) for line in seen} == {("transcription.completed", job) for job in first}

    second = [_job(world.api, number, "slow:2000") for number in range(3, 9)]
    _restart_everything_in_the_middle_of(second, world)
    told = _until(lambda: _completed(world), count=9)
    assert {event["data"]["id"] for event in told} == {*first, *second}
    while {line.event_id for line in seen} != {event["id"] for event in told}:
        seen.append(world.line())  # at least once: what was under way when all stopped may come again

    again = seen[0]
    [delivery] = world.api.get("/v1/deliveries", params={"event_id": again.event_id}).json()["data"]
    assert world.api.post(f"/v1/deliveries/{delivery['id']}/resend").status_code == 202
    assert world.await_line(again.event_id) == again

    _rotate(world, f"/v1/webhook-endpoints/{endpoint['id']}", old=endpoint["secret"])
    world.stop_receiver()
    assert len(world.answers()) >= len(told) + 3
    assert [line for line in world.answers() if '" 204 ' not in line] == []


def _job(api: httpx.Client, number: int, simulate: str = "slow:1") -> str:
    accepted = order(api, tone(seed=number), simulate=simulate)
    assert accepted.status_code in (200, 202), accepted.text
    return str(accepted.json()["id"])


def _restart_everything_in_the_middle_of(jobs: list[str], world: World) -> None:
    """Stop the stack and the receiver at once; afterwards all jobs end."""
    assert len(_completed(world)) < 3 + len(jobs)
    world.stack.parlance("down", "--now")
    world.receive()
    world.stack.start()
    assert {ended(world.api, job)["status"] for job in jobs} == {"completed"}


def _until(read: Callable[[], list[Any]], *, count: int) -> list[Any]:
    for _ in range(5_000):
        if len(found := read()) >= count:
            return found
    raise AssertionError(f"there are only {len(found)}")


def _completed(world: World) -> list[Any]:
    """Every event so far of a completed job."""
    found: list[Any] = world.api.get("/v1/events", params={"after": 0, "limit": 100}).json()["data"]
    return [event for event in found if event["type"] == "transcription.completed"]


def _deliveries(world: World, wanted: dict[str, str]) -> list[Any]:
    found: list[Any] = world.api.get("/v1/deliveries", params=wanted).json()["data"]
    return found


def _rotate(world: World, path: str, *, old: str) -> None:
    """A new secret: the receiver verifies with the old one, is told the new one, and verifies with that."""
    new = world.api.post(f"{path}/rotate-secret", json={"overlap_hours": 1}).json()["secret"]
    assert new != old
    for known in (old, new):
        world.know(known)
        wanted = {"event_id": world.api.post(f"{path}/test").json()["id"], "state": "delivered"}
        world.await_line(wanted["event_id"])
        _until(partial(_deliveries, world, wanted), count=1)

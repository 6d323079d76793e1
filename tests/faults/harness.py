"""A running stack whose processes are killed: by signal from outside, or by themselves at a named step."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import psycopg
import redis

from tests.faults.client import Customer
from tests.faults.receiver import Receiver
from tests.stack import Stack
from workers.embedded.home import Home
from workers.supervisor import processes
from workers.supervisor.decisions import CRASH_LIMIT, CRASH_WINDOW_S

LEASE_S = 3
WORKERS = ("worker-1", "worker-2", "worker-3", "worker-4")
POLL_S = 0.02
DECODER = b"speech.audio.decoder_process"
ENGINE = b"speech.engines.pocketsphinx_process"
WEB_CHILD = b"workers.web"
BALANCE = 1000

_SET_WALLET = """INSERT INTO wallet (tenant_id, currency, balance, held, credit_limit) VALUES (%s, 'USD', %s, 0, 0)"""


class Chaos:
    """`with Chaos(folder) as chaos:` is a whole stack with real durability, short leases and a webhook receiver."""

    def __init__(self, folder: Path, *, settings: dict[str, str] | None = None) -> None:
        self._points = folder / "failpoints"
        self._points.mkdir(parents=True)
        self.receiver = Receiver()
        self.work_dir = folder / "work"
        self.home = Home(folder / "home")
        environ = {
            "PARLANCE_PG_FAST": "0",
            "PARLANCE_LEASE_S": str(LEASE_S),
            "PARLANCE_SWEEP_INTERVAL_MS": "300",
            "PARLANCE_WORKERS": str(len(WORKERS)),
            "PARLANCE_FAILPOINT_DIR": str(self._points),
            "PARLANCE_EGRESS_ALLOW": self.receiver.host_port,
            "PARLANCE_WORK_DIR": str(self.work_dir),
        }
        self.stack = Stack(self.home.path, environ=environ | (settings or {}))
        self.kills: Counter[str] = Counter()
        self._crashed_before: dict[str, int] = {}
        self._crashes: dict[str, list[float]] = defaultdict(list)
        self._restarts: dict[str, int] = {}
        self._guard = threading.RLock()

    def __enter__(self) -> Self:
        self.receiver.__enter__()
        try:
            self.stack.start()
        except BaseException:
            self.receiver.__exit__()
            raise
        self.env: dict[str, str] = self.home.state()["env"]
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.pids().values():
            processes.send(pid, number=signal.SIGCONT)  # a stopped process could not be asked to leave
        self.stack.stop()
        self.receiver.__exit__()

    def customer(self, name: str) -> Customer:
        """A new prepaid tenant whose webhooks come to our receiver."""
        made = self.stack.tenant(name)
        customer = Customer(name=name, id=made.id, http=made.live)
        with self.database() as rows:
            rows.execute(_SET_WALLET, [tenant_uuid(made.id), BALANCE])
        customer.listen(self.receiver)
        return customer

    @contextlib.contextmanager
    def database(self) -> Iterator[psycopg.Connection[Any]]:
        """The database as its owner sees it, in autocommit."""
        with psycopg.connect(self.env["DATABASE_OWNER_URL"], autocommit=True) as connection:
            yield connection

    def redis(self) -> redis.Redis:
        """The broker."""
        return redis.Redis.from_url(self.env["REDIS_URL"])

    # ── fail-points ──────────────────────────────────────────────────────────────────────────────────────────────────

    def arm(self, point: str, *, services: Sequence[str] = ()) -> None:
        """Have the next process that reaches the point kill itself; waits until one more crash is bearable.

        `services` are those among which the supervisor will have to start one again. Of the web service only a child
        dies, and its parent starts another; after two at once the parent gives up too, so it needs the same room.
        """
        watched = services or ("web",)
        self.await_true(lambda: all(map(self.may_crash, watched)), f"room for one more crash at {point}")
        self._count_fired(point)
        self._crashed_before[point] = self._crash_count(services)
        (self._points / point).touch()

    def await_fired(self, point: str, *, services: Sequence[str] = (), limit_s: float = 40.0) -> None:
        """Return when a process has died at the point, and the supervisor has seen it."""
        self.await_true(lambda: not (self._points / point).exists(), f"a process at {point}", limit_s=limit_s)
        before = self._crashed_before.pop(point)
        self.await_true(lambda: not services or self._crash_count(services) > before, f"the end of who was at {point}")
        with self._guard:
            self.kills[point] += 1

    def disarm(self) -> None:
        """No point is armed any more; those that a process died at count as kills."""
        for point in list(self._crashed_before):
            self._count_fired(point)
            (self._points / point).unlink(missing_ok=True)
        self._crashed_before.clear()

    def _count_fired(self, point: str) -> None:
        if point in self._crashed_before and not (self._points / point).exists():
            self.kills[point] += 1

    # ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def pids(self) -> dict[str, int]:
        """The supervisor's services and their processes of this moment."""
        services = self.home.state().get("services", {})
        return {name: int(each["pid"]) for name, each in services.items() if each["pid"]}

    def kill(self, service: str, *, limit_s: float = 60.0) -> None:
        """kill -9 of one service; returns when the supervisor has seen it."""
        self.await_true(
            lambda: self._is_ready(service) and self.may_crash(service), f"{service} to be killed", limit_s=limit_s
        )
        before = self._crash_count([service])
        self.kill_pid(self.pids()[service], name=service)
        self.await_true(lambda: self._crash_count([service]) > before, f"the end of {service}")

    def kill_pid(self, pid: int, *, name: str) -> None:
        """kill -9 of one process."""
        processes.send(pid, number=signal.SIGKILL)
        with self._guard:
            self.kills[name] += 1

    def may_crash(self, service: str) -> bool:
        """Whether one more crash would not make the supervisor give up the service, which stops everything."""
        with self._guard:
            self._note_crashes()
            recent = [at for at in self._crashes[service] if time.monotonic() - at <= CRASH_WINDOW_S + 1]
            return len(recent) + 1 < CRASH_LIMIT

    def decoders(self) -> list[int]:
        """The decoders' processes."""
        return self.children(WORKERS, word=DECODER)

    def web_children(self) -> list[int]:
        """The processes that answer requests, behind the web service's own."""
        return self.children(("web",), word=WEB_CHILD)

    def flush_broker(self) -> None:
        """FLUSHALL: every wake-up is gone."""
        with contextlib.closing(self.redis()) as client:
            client.flushall()
        self.kills["flushall"] += 1

    def await_up(self, *, limit_s: float = 60.0) -> None:
        """Return when every service runs again."""
        self.await_true(lambda: all(self._is_ready(name) for name in self.pids()), "all services up", limit_s=limit_s)

    def await_true(self, check: Callable[[], bool], what: str, *, limit_s: float = 60.0) -> None:
        """Poll other processes' doings; raises with what was waited for."""
        ends_at = time.monotonic() + limit_s
        while not check():
            if time.monotonic() > ends_at:
                raise AssertionError(f"not within {limit_s:g} s: {what}; {self.home.state().get('services')}")
            time.sleep(POLL_S)

    def log(self, service: str) -> str:
        """What a service has logged so far."""
        return self.home.log(service).read_text("utf-8", "replace")

    def _is_ready(self, name: str) -> bool:
        return self.home.state().get("services", {}).get(name, {}).get("state") in {"ready", "done"}

    def children(self, services: Sequence[str], *, word: bytes) -> list[int]:
        """Processes below these services whose command line has the word."""
        table, pids = processes.parents(), self.pids()
        found = [pid for name in services for pid in processes.descendants(pids.get(name, -1), table=table)]
        return [pid for pid in found if word in command_line(pid)]

    def _note_crashes(self) -> None:
        for name, each in self.home.state().get("services", {}).items():
            new = each["restarts"] - self._restarts.get(name, 0)
            self._crashes[name] += [time.monotonic()] * new
            self._restarts[name] = each["restarts"]

    def _crash_count(self, services: Sequence[str]) -> int:
        with self._guard:
            self._note_crashes()
            return sum(len(self._crashes[name]) for name in services)


def command_line(pid: int) -> bytes:
    """The arguments of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def opened_sizes(pid: int) -> set[int]:
    """The sizes of the files that a process has open."""
    sizes = set()
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                sizes.add(entry.stat().st_size)
    return sizes


def tenant_uuid(shown: str) -> Any:
    """The id in the database behind `ten_…`."""
    from apikit import ids

    return ids.parse(ids.TENANT, shown)

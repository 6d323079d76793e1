"""Webhooks: events accepted, deliveries of one sender process on one core, lag beside bad neighbours, memory.

Events are published in batches of ten, each batch one durable transaction. The sender (`run_sender`, as the scheduler
runs it) is pinned to the first core and the receivers to the last one; on two cores PostgreSQL shares both with them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import common

GOAL = (
    ">= 1,000 events/s in batches of ten; >= 300 deliveries/s by one sender process on one core; p99 lag < 1 s beside "
    "a hanging and a busy endpoint; <= 50 MB more memory while 100 receivers answer 10 MB each"
)
MIN_EVENTS_PER_S, MIN_DELIVERIES_PER_S, MAX_LAG_MS, MAX_GROWTH_MB = 1_000, 300, 1_000, 50
BATCH, EVENTS = 10, 3_000
TENANTS, ENDPOINTS_EACH, EVENTS_EACH = 5, 10, 60  # 3,000 deliveries to 50 receivers
NEIGHBOURS, LAG_EVENTS, LAG_PAUSE_S = 8, 200, 0.05
ENDLESS_EACH = 20  # 100 receivers
PATIENCE_S = 120.0
RECEIVERS = Path(__file__).with_name("webhook_receivers.py")


class Receivers:
    """The other process and its figures."""

    def __init__(self, control_port: int) -> None:
        self._url = f"http://127.0.0.1:{control_port}/"
        self.ports: dict[str, list[int]] = self.look()["ports"]

    def look(self, path: str = "") -> dict[str, Any]:
        with urllib.request.urlopen(self._url + path, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def take(self, manner: str, count: int) -> list[str]:
        """URLs of receivers that nobody has yet."""
        taken, self.ports[manner] = self.ports[manner][:count], self.ports[manner][count:]
        return [f"http://127.0.0.1:{port}/" for port in taken]


@contextmanager
def receivers(folder: Path) -> Iterator[Receivers]:
    """All receivers of this benchmark."""
    wanted = {
        "ok": TENANTS * ENDPOINTS_EACH + NEIGHBOURS, "hang": 1, "busy": 1, "endless": TENANTS * ENDLESS_EACH,
    }  # fmt: skip
    port, log = common.free_port(), folder / "receivers.log"
    argv = (sys.executable, str(RECEIVERS), str(port), json.dumps(wanted))
    with common.process(argv, env=os.environ, log=log) as child:
        common.await_port(port, child=child, log=log)
        yield Receivers(port)


@dataclass(frozen=True, slots=True)
class Customer:
    """A tenant with a live and a test key."""

    live: Any
    test: Any

    @classmethod
    def new(cls, name: str) -> Customer:
        from tenants.facade import authenticate, create_key, create_tenant

        tenant = create_tenant(name)
        keys = [create_key(tenant.id, livemode=livemode).secret for livemode in (True, False)]
        return cls(*(authenticate(key, address="127.0.0.1") for key in keys))

    def listen_at(self, urls: Sequence[str], *, livemode: bool = True) -> None:
        """An endpoint for each URL."""
        from webhooks.services import create_endpoint

        for url in urls:
            create_endpoint(self.live if livemode else self.test, url=url, event_types=["*"])

    def publish(self, count: int, *, livemode: bool = True) -> None:
        """So many events in one transaction."""
        from django.db import transaction

        from apikit.ids import new_id
        from events.facade import publish
        from tenants.facade import tenant_context

        caller = self.live
        with tenant_context(caller.tenant), transaction.atomic():
            for _ in range(count):
                subject = new_id()
                data = {"object": "transcription", "id": str(subject), "status": "completed", "metadata": {}}
                publish(
                    "transcription.completed", tenant_id=caller.tenant_id, livemode=livemode, subject_id=subject,
                    sequence=1, data=data,
                )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sender:
    """The measured process."""

    pid: int

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It stands still meanwhile, so that a backlog is there at once."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


@contextmanager
def sender(stack: common.Stack) -> Iterator[Sender]:
    """One sender process."""
    with common.process(common.this_script("sender"), env=stack.env, log=stack.folder / "sender.log") as child:
        yield Sender(child.pid)


def be_sender() -> None:
    """What the child process does."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import django

    django.setup()
    from webhooks.facade import run_sender

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_sender(stop)


def await_delivered(count: int) -> None:
    """Return when so many deliveries are recorded as delivered since the tables were emptied."""
    await_count("SELECT count(*) FROM delivery WHERE state = 'delivered'", count)


def await_count(sql: str, count: int) -> None:
    from django.db import connections

    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with connections["owner"].cursor() as cursor:
            cursor.execute(sql)
            if cursor.fetchone()[0] >= count:
                return
        time.sleep(0.02)
    raise RuntimeError(f"fewer than {count} after {PATIENCE_S:g} s: {sql}")


def forget_all() -> None:
    """No event and no delivery of the part before."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute("TRUNCATE outbox_event, delivery, delivery_attempt")


def accepted(customer: Customer) -> dict[str, Any]:
    """Events per second that one client gets accepted, and then dispatched."""
    from webhooks.facade import dispatch_events

    took_s = _timed(lambda: [customer.publish(BATCH) for _ in range(EVENTS // BATCH)])
    dispatched_s = _timed(lambda: [None for _ in iter(dispatch_events, 0)])
    return {
        "events_accepted_per_s": common.tidy(EVENTS / took_s, 0),
        "events_dispatched_per_s": common.tidy(EVENTS / dispatched_s, 0),
    }


def delivered(customers: Sequence[Customer], running: Sender, found: Receivers) -> dict[str, Any]:
    """A backlog for fifty receivers, from the first arrival until the last result is recorded."""
    for customer in customers:
        customer.listen_at(found.take("ok", ENDPOINTS_EACH))
    for customer in customers:
        customer.publish(1)
    await_delivered(TENANTS * ENDPOINTS_EACH)  # connections are open and destinations known, as they are all day
    forget_all()
    found.look("reset")
    with running.paused():
        for customer in customers:
            customer.publish(EVENTS_EACH)
        before_ms = common.tree_cpu_ms(running.pid)
    count = TENANTS * ENDPOINTS_EACH * EVENTS_EACH
    await_delivered(count)
    took_s, used_ms = time.time() - found.look()["first_s"], common.tree_cpu_ms(running.pid) - before_ms
    return {
        "deliveries": count,
        "deliveries_per_s": common.tidy(count / took_s, 0),
        "deliveries_per_sender_cpu_s": common.tidy(count / used_ms * 1000, 0),
    }


def lagged(customer: Customer, found: Receivers) -> dict[str, Any]:
    """Twenty events a second for eight good receivers and two bad ones of the same tenant."""
    customer.listen_at(found.take("ok", NEIGHBOURS) + found.take("hang", 1) + found.take("busy", 1))
    forget_all()
    found.look("reset")
    for _ in range(LAG_EVENTS):
        customer.publish(1)
        time.sleep(LAG_PAUSE_S)
    await_delivered(LAG_EVENTS * NEIGHBOURS)
    arrived = found.look()["lags_ms"]
    return {
        "lag_p50_ms": common.tidy(common.percentile(arrived["ok"], 50), 0),
        "lag_p99_ms": common.tidy(common.percentile(arrived["ok"], 99), 0),
        "lag_worst_ms": common.tidy(max(arrived["ok"]), 0),
        "posts_to_bad_neighbours": sum(len(arrived.get(manner, [])) for manner in ("hang", "busy")),
    }


def grown(customers: Sequence[Customer], running: Sender, found: Receivers) -> dict[str, Any]:
    """The sender's memory while a hundred receivers pour out what nobody asked for."""
    for customer in customers:
        customer.listen_at(found.take("endless", ENDLESS_EACH), livemode=False)
    forget_all()
    found.look("reset")
    before_mb, _ = common.memory_mb(running.pid)
    Path(f"/proc/{running.pid}/clear_refs").write_text("5", "ascii")  # the peak counts from here
    for customer in customers:
        customer.publish(1, livemode=False)
    await_count("SELECT count(*) FROM delivery WHERE attempt > 0 AND state <> 'leased'", TENANTS * ENDLESS_EACH)
    return {
        "rss_before_mb": common.tidy(before_mb, 1),
        "rss_growth_mb": common.tidy(_peak_mb(running.pid) - before_mb, 1),
        "declared_mb": TENANTS * ENDLESS_EACH * 10,
        "poured_mb": common.tidy(found.look()["poured_bytes"] / 1e6, 0),
    }


def _timed(do: Callable[[], Any]) -> float:
    begun_s = time.monotonic()
    do()
    return time.monotonic() - begun_s


def _peak_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("no VmHWM")


def measure() -> dict[str, Any]:
    """One part after the other on one database."""
    with common.temporary_folder() as folder, receivers(folder) as found:
        allowed = ",".join(f"127.0.0.1:{port}" for ports in found.ports.values() for port in ports)
        with common.stack(settings={"PARLANCE_EGRESS_ALLOW": allowed}) as stack:
            figures = accepted(Customer.new("many events"))
            forget_all()
            customers = [Customer.new(f"customer {number}") for number in range(TENANTS)]
            with sender(stack) as running:
                figures |= delivered(customers, running, found)
                figures |= grown(customers, running, found)
                figures |= lagged(Customer.new("neighbour"), found)
    reached = (
        figures["events_accepted_per_s"] >= MIN_EVENTS_PER_S
        and figures["deliveries_per_s"] >= MIN_DELIVERIES_PER_S
        and figures["lag_p99_ms"] < MAX_LAG_MS
        and figures["rss_growth_mb"] <= MAX_GROWTH_MB
    )
    return {**figures, "goal": GOAL, "reached": reached}


if __name__ == "__main__":
    if sys.argv[1:] == ["sender"]:
        be_sender()
    else:
        common.run("webhooks", measure, limit_s=400)

"""Random `kill -9` of every process of a whole stack under load: what was lost, billed twice or told twice.

Customers repeat what failed with the same Idempotency-Key, as an SDK does. `--seconds` is how long it kills.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import common
from tests.faults.client import Customer
from tests.faults.harness import WORKERS, Chaos
from tests.faults.invariants import Findings, look, settle
from tests.faults.sounds import LONG_MS
from tests.faults.together import at_once

GOAL = "0 lost, 0 billed twice, 0 events doubled, whatever is killed"
CUSTOMERS = 3
PAUSES_S = (0.3, 2.0)  # between two kills
SETTLE_S = 240.0
# A job may be hit again and again here; in production a few attempts are enough.
SETTINGS = {"PARLANCE_MAX_ATTEMPTS": "40"}
POINTS = (
    "claimed.prepare", "prepare.worked", "prepare.committed", "claimed.transcribe", "transcribe.worked",
    "checkpoint.uncommitted", "checkpoint.committed", "merge.worked", "finish.uncommitted", "finish.committed",
)  # fmt: skip


class Killer:
    """Kills something at random, as long as the supervisor can bear it."""

    def __init__(self, chaos: Chaos, *, seed: int) -> None:
        self._chaos = chaos
        self._random = random.Random(seed)

    def run(self, *, seconds: float) -> None:
        """Kill until the time is over."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            self._random.choice(self._choices())()
            time.sleep(self._random.uniform(*PAUSES_S))

    def _choices(self) -> list[Callable[[], None]]:
        services = (*WORKERS, *WORKERS, "scheduler", "web", "redis", "postgres")
        fatal = [lambda name=name: self._service(name) for name in services]
        return [*fatal, self._chaos.flush_broker, self._decoder, self._web_child, self._step, self._step]

    def _service(self, name: str) -> None:
        if self._chaos.may_crash(name):
            self._chaos.kill_pid(self._chaos.pids()[name], name=name)

    def _decoder(self) -> None:
        for pid in self._chaos.decoders()[:1]:
            self._chaos.kill_pid(pid, name="decoder")

    def _web_child(self) -> None:
        for pid in self._chaos.web_children():
            self._chaos.kill_pid(pid, name="web child")

    def _step(self) -> None:
        if all(map(self._chaos.may_crash, WORKERS)):
            self._chaos.arm(self._random.choice(POINTS), services=WORKERS)


def measure(*, seconds: float, seed: int) -> dict[str, Any]:
    """The figures of one run."""
    with common.temporary_folder() as folder, Chaos(Path(folder), settings=SETTINGS) as chaos:
        customers = [chaos.customer(f"customer-{number}") for number in range(CUSTOMERS)]
        done, begun_at = threading.Event(), time.monotonic()

        def kill() -> None:
            try:
                Killer(chaos, seed=seed).run(seconds=seconds)
            finally:
                done.set()

        at_once(kill, *(lambda customer=customer: load(customer, until=done) for customer in customers))
        chaos.disarm()
        chaos.await_up()
        for customer in customers:
            settle(chaos, customer, limit_s=SETTLE_S)
        took_s = time.monotonic() - begun_at
        found = [look(chaos, customer) for customer in customers]
        return figures(chaos, customers, found) | {"seconds": round(took_s), "seed": seed}


def load(customer: Customer, *, until: threading.Event) -> None:
    """One long recording, then short ones as long as something is killed."""
    customer.submit(LONG_MS, simulate="slow:400")
    customer.submit_until(until, pause_s=0.2, simulate="slow:200")


def figures(chaos: Chaos, customers: list[Customer], found: list[Findings]) -> dict[str, Any]:
    """What is printed."""

    def total(name: str) -> int:
        return sum(len(getattr(each, name)) for each in found)

    names = (
        "lost", "unasked", "failed", "unbilled", "billed_twice", "billed_wrong", "events_missing", "events_doubled",
        "webhooks_missing", "webhooks_changed", "dead_letters", "left_over",
    )  # fmt: skip
    for each in found:
        for name, what in each.broken().items():
            print(name, what, file=sys.stderr)
    counts = {name: total(name) for name in names}
    return {
        "goal": GOAL,
        "reached": not any(counts.values()),
        "jobs": sum(len(customer.submitted) for customer in customers),
        "requests_repeated": sum(customer.repeats for customer in customers),
        "kills": dict(sorted(chaos.kills.items())),
        "kills_total": chaos.kills.total(),
        "webhooks": sum(len(bodies) for bodies in chaos.receiver.bodies().values()),
        **counts,
        "orphaned_objects": total("orphans"),
    }


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0, help="how long to kill (default 180)")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="which kills, in which order")
    given = parser.parse_args()
    limit_s = int(given.seconds + SETTLE_S * CUSTOMERS + 300)
    common.run("chaos", lambda: measure(seconds=given.seconds, seed=given.seed), limit_s=limit_s)


if __name__ == "__main__":
    main()

"""A dead engine behind the breaker: 20 workers in 4 processes call a server that accepts and never answers.

`slow_after` are requests that waited for the dead engine once the circuit had opened; `extra_*` is what the others lost
to asking before they went on to the next engine. `probes`: calls let through when 20 workers ask at once at half-open.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from benchmarks import common

GOAL = "dead engine: <= 1 slow request per breaker window, others < 5 ms extra (p99); half-open: exactly 1 probe of 20"
MAX_EXTRA_MS = 5.0
PROCESSES, THREADS = 4, 5
RUN_S = 30.0
DEADLINE_S = 1.0
PACE_S = 0.02  # each worker asks about 50 times a second
ROUNDS = 20


def _breaker() -> Any:
    from egress.facade import Breaker, SharedStore

    return Breaker(SharedStore.at(os.environ["REDIS_URL"]))


def _key(name: str) -> Any:
    from egress.facade import BreakerKey

    return BreakerKey(name, operation="transcribe")


def _requests(port: int, until: float) -> list[tuple[float, float, bool]]:
    """One process: (begun, seconds, waited for the dead engine) of every request."""
    opened: list[float] = []
    breaker = _breaker()
    breaker._on_open = lambda *told: opened.append(time.time())
    with ThreadPoolExecutor(THREADS) as pool:
        asked = pool.map(lambda _: _worker(breaker, port, until), range(THREADS))
        found = [request for worker in asked for request in worker]
    return [*found, *((at, -1.0, True) for at in opened)]


def _worker(breaker: Any, port: int, until: float) -> list[tuple[float, float, bool]]:
    found = []
    while (begun := time.time()) < until:
        waited, took_s = _one_request(breaker, port)
        found.append((begun, took_s, waited))
        time.sleep(PACE_S)
    return found


def _one_request(breaker: Any, port: int) -> tuple[bool, float]:
    from egress.facade import NotNow

    begun = time.perf_counter()
    try:
        with (
            breaker.guard(_key("dead"), deadline_s=DEADLINE_S),
            socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as call,
        ):
            call.recv(1)
    except NotNow:
        return False, time.perf_counter() - begun
    except TimeoutError:
        pass
    return True, time.perf_counter() - begun


def _probes() -> list[int]:
    """How many of 20 workers were let through at half-open, round by round."""
    from egress.breaker.rules import Rules
    from egress.facade import Breaker, CircuitOpen, SharedStore

    breakers = [
        Breaker(SharedStore.at(os.environ["REDIS_URL"]), rules=Rules(open_s=0.01)) for _ in range(PROCESSES * THREADS)
    ]
    counts = []
    for number in range(ROUNDS):
        key, barrier, ended = (
            _key(f"probe-{number}"),
            threading.Barrier(len(breakers)),
            threading.Barrier(len(breakers)),
        )
        breakers[0]._shared.trip(key.name, version=0, open_s=0.01)
        while breakers[0].health([key])[key].state != "half_open":
            time.sleep(0.001)

        def ask(breaker: Any, key: Any = key, barrier: Any = barrier, ended: Any = ended) -> int:
            barrier.wait()
            try:
                with breaker.guard(key, deadline_s=30):
                    ended.wait()
                    return 1
            except CircuitOpen:
                ended.wait()
                return 0

        with ThreadPoolExecutor(len(breakers)) as pool:
            counts.append(sum(pool.map(ask, breakers)))
    return counts


def measure() -> dict[str, Any]:
    """The figures."""
    with common.stack(migrated=False), socket.create_server(("127.0.0.1", 0), backlog=4096) as dead:
        port, until = dead.getsockname()[1], time.time() + RUN_S
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(PROCESSES, context) as pool:
            runs = list(pool.map(_requests, [port] * PROCESSES, [until] * PROCESSES))
        probes = _probes()
    found = [request for run in runs for request in run]
    opened = sorted(at for at, took, _ in found if took < 0)
    slow = [at for at, took, waited in found if waited and took >= 0]
    extra_ms = [took * 1000 for _, took, waited in found if not waited]
    slow_after, p99 = sum(at > opened[0] for at in slow), common.percentile(extra_ms, 99)
    return {
        "requests": len(found) - len(opened),
        "windows": len(opened),
        "slow_in_flight_at_death": len(slow) - slow_after,
        "slow_after": slow_after,
        "extra_p50_ms": common.tidy(common.median(extra_ms)),
        "extra_p99_ms": common.tidy(p99),
        "extra_max_ms": common.tidy(max(extra_ms)),
        "probes": [min(probes), max(probes)],
        "goal": GOAL,
        "reached": slow_after <= len(opened) and p99 < MAX_EXTRA_MS and set(probes) == {1},
    }


if __name__ == "__main__":
    common.run("breaker", measure, limit_s=120)

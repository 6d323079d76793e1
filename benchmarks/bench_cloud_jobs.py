"""Jobs on a provider that answers at once, later, or slowly: CPU of each, and how many one worker process waits for.

The provider is the simulated one, which takes no time and no network of its own. A clip of 5 s is accepted in this
process; what is measured is a worker and a scheduler. The decoder is a child process, so its CPU is known apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import common
from benchmarks.bench_inline import clip

GOAL = "at least 100 jobs waiting on slow providers in one worker process; CPU per cloud job printed"
MIN_WAITING = 100
JOBS, WAITING_JOBS = 150, 120
POLL_MS, SLOW_MS = 1_500, 25_000
LIMIT_S = 90.0


@dataclass(frozen=True, slots=True)
class Used:
    """CPU milliseconds so far."""

    worker: float
    decode: float
    scheduler: float
    postgres: float

    def since(self, earlier: Used, *, times: int) -> dict[str, float]:
        return {
            name: common.tidy((getattr(self, name) - getattr(earlier, name)) / times)
            for name in ("worker", "decode", "scheduler", "postgres")
        }


@dataclass(frozen=True, slots=True)
class Pids:
    """Who is measured."""

    worker: int
    scheduler: int
    postgres: int

    def used(self) -> Used:
        own = common.cpu(self.worker).own_ms
        return Used(
            own, common.tree_cpu_ms(self.worker) - own, common.tree_cpu_ms(self.scheduler),
            common.tree_cpu_ms(self.postgres),
        )  # fmt: skip


def _submit(caller: Any, simulate: str, *, count: int) -> None:
    from speech import services
    from speech.contracts import StoredFile, TranscriptionOrder
    from speech.objects import incoming_key
    from speech.options import Options
    from storage.facade import store
    from tenants.facade import tenant_context

    content = clip()
    with tenant_context(caller.tenant):
        for _ in range(count):
            key = incoming_key(caller.tenant_id)
            store().put_bytes(key, data=content, content_type="audio/wav")
            file = StoredFile(key, "clip.wav", "audio/wav", len(content), sha256="", head=content[:64])
            order = TranscriptionOrder(file=file, engine="simulated-cloud", options=Options(simulate=simulate))
            services.accept(caller, order, idempotency_key=None)


def _count(sql: str) -> int:
    from django.db import connections

    with connections["system"].cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])


def _ended() -> int:
    return _count("SELECT count(*) FROM job WHERE state = 'completed'")


def _under_way() -> int:
    """Calls that a provider has and has not answered."""
    return _count("SELECT count(*) FROM engine_attempt WHERE ended_at IS NULL")


def _await(what: Callable[[], bool], name: str) -> float:
    begun = time.monotonic()
    while not what():
        if time.monotonic() - begun > LIMIT_S:
            raise RuntimeError(f"not within {LIMIT_S:g} s: {name}")
        time.sleep(0.05)
    return time.monotonic() - begun


def _cpu_of(pids: Pids, caller: Any, simulate: str) -> dict[str, float]:
    """CPU for each of `JOBS` jobs, from accept to end."""
    _submit(caller, simulate, count=10)
    _await(lambda: _under_way() == 0 and _ended() == _count("SELECT count(*) FROM job"), "warm-up")
    before, ended = pids.used(), _ended()
    _submit(caller, simulate, count=JOBS)
    _await(lambda: _ended() == ended + JOBS, simulate)
    return pids.used().since(before, times=JOBS)


def _waiting(pids: Pids, caller: Any, simulate: str) -> dict[str, Any]:
    """What a worker holds while a provider takes its time over so many jobs."""
    ended = _ended()
    _submit(caller, simulate, count=WAITING_JOBS)
    took_s = _await(lambda: _under_way() >= WAITING_JOBS, f"{simulate} under way")
    held = {
        "jobs_waiting": _under_way(),
        "leased": _count("SELECT count(*) FROM work_item WHERE state = 'leased'"),
        "worker_threads": len(list(Path(f"/proc/{pids.worker}/task").iterdir())),
        "database_connections": _count("SELECT count(*) FROM pg_stat_activity WHERE usename LIKE 'parlance%'"),
        "worker_rss_mb": common.tidy(common.memory_mb(pids.worker)[0], 0),
        "all_under_way_after_s": common.tidy(took_s, 1),
    }
    _await(lambda: _ended() == ended + WAITING_JOBS, f"{simulate} done")
    return held


def measure() -> dict[str, Any]:
    """CPU of jobs answered at once and later; then many at once on providers that take their time."""
    with (
        common.stack() as stack,
        common.worker_process(stack, module="workers.worker") as worker,
        common.worker_process(stack, module="workers.scheduler") as scheduler,
    ):
        from tenants.facade import authenticate

        caller = authenticate(common.live_key(), address="127.0.0.1")
        pids = Pids(worker, scheduler, stack.postgres_pid)
        cpu = {"at_once": _cpu_of(pids, caller, "cloud:"), "polled": _cpu_of(pids, caller, f"cloud:poll:{POLL_MS}")}
        polled = _waiting(pids, caller, f"cloud:poll:{SLOW_MS}")
        called = _waiting(pids, caller, f"cloud:slow:{SLOW_MS}")
        failed = _count("SELECT count(*) FROM job WHERE state = 'failed'")
    waiting = min(polled["jobs_waiting"], called["jobs_waiting"])
    return {
        "cpu_ms_per_job": cpu,
        "waiting_between_polls": polled,
        "waiting_in_calls": called,
        "failed": failed,
        "provider": "simulated",
        "goal": GOAL,
        "reached": waiting >= MIN_WAITING and failed == 0,
    }


if __name__ == "__main__":
    common.run("cloud_jobs", measure, limit_s=400)

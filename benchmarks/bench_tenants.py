"""A new tenant, and the start-up check with 1,000 of them. `per_hundred_ms` shows what a growing catalogue costs."""

from __future__ import annotations

import argparse
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

from benchmarks import common

GOAL = "new tenant <= 100 ms (p95 of 50); start-up check of 1,000 tenants <= 1 s"
MAX_CREATE_MS = 100.0
MAX_CHECK_S = 1.0
TENANTS = 1_000
SAMPLE = 50
CHECKS = 3


def _create_ms(name: str) -> float:
    from tenants.facade import create_tenant

    begun = time.perf_counter()
    create_tenant(name)
    return (time.perf_counter() - begun) * 1000


def _first_check_s(env: dict[str, str]) -> float:
    """In a process of its own, as at a start: nothing is cached yet."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=common.set_up_django, initargs=(env,)) as pool:
        return pool.submit(_check_s).result()


def _check_s() -> float:
    from tenants.facade import outdated

    begun = time.perf_counter()
    assert outdated() == []
    return time.perf_counter() - begun


def _measure(tenants: int) -> dict[str, Any]:
    with common.stack() as stack:
        postgres_ms, ours_s = common.tree_cpu_ms(stack.postgres_pid), time.process_time()
        _create_ms("warm-up")
        took = [_create_ms(f"tenant {number}") for number in range(tenants)]
        postgres_ms, ours_s = common.tree_cpu_ms(stack.postgres_pid) - postgres_ms, time.process_time() - ours_s
        checks = [_first_check_s(stack.env) for _ in range(CHECKS)]
        again_s = _check_s()
    first = took[:SAMPLE]
    p95, check_s = common.percentile(first, 95), common.median(checks)
    return {
        "create_p50_ms": common.tidy(common.percentile(first, 50), 1),
        "create_p95_ms": common.tidy(p95, 1),
        "create_last_50_p50_ms": common.tidy(common.percentile(took[-SAMPLE:], 50), 1),
        "create_last_50_p95_ms": common.tidy(common.percentile(took[-SAMPLE:], 95), 1),
        "per_hundred_ms": [common.tidy(common.median(took[at : at + 100]), 1) for at in range(0, tenants, 100)],
        "application_cpu_ms": common.tidy(ours_s * 1000 / (tenants + 1)),
        "postgres_cpu_ms": common.tidy(postgres_ms / (tenants + 1)),
        "check_s": common.tidy(check_s, 3),
        "check_again_s": common.tidy(again_s, 4),
        "tenants": tenants,
        "goal": GOAL,
        "reached": p95 <= MAX_CREATE_MS and check_s <= MAX_CHECK_S and tenants == TENANTS,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=TENANTS)
    common.run("tenants", partial(_measure, parser.parse_args().tenants), limit_s=150)

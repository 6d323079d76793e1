"""Claims in a large queue: 1,000,000 items in 1,000 lanes, 8 claimers, and a snapshot that keeps every dead row alive.

First 100,000 claims as fast as 8 claimers can, which ages the tables; on fewer than 8 cores such a claim mostly waits
for the other claimers' turn. Then the same 8 claimers at the pace of workers that also work: that is what a
worker sees. Each claimer deletes its finished items ten at a time, so that claims are what is measured.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks import common

GOAL = "claim <= 5 ms p99 after 100,000 claims at 1,000,000 queued, 1,000 lanes, 8 claimers, an open snapshot"
MAX_P99_MS = 5.0
ITEMS, LANES, CLAIMERS, CLAIMS = 1_000_000, 1_000, 8, 100_000
EDGE = 10_000  # the first and the last so many claims are shown apart
AGING_LIMIT_S = 90.0
PACED_S = 12.0
PAUSE_S = 0.02  # on average, between two claims of one worker: 400 claims a second in all
SEGMENTS = 20  # per job
FINISH_EACH = 10
# Items stay leased until their batch is deleted; with so many slots no tenant is at its cap because of that.
SLOTS = 10 * CLAIMERS * FINISH_EACH
QUEUE = "local:bench/batch"

_LANES = """INSERT INTO lane (queue, tenant_id, livemode, active, virtual_time, turn, weight)
 SELECT %(queue)s, gen_random_uuid(), true, true, (random() * 1000000)::bigint, 0, 100
 FROM generate_series(1, %(lanes)s)"""
_JOBS = """INSERT INTO job (id, tenant_id, livemode, kind, state, service_class, created_at, deadline_at, measured_ms,
  engine, price_version, segments_total, segments_left)
 SELECT gen_random_uuid(), l.tenant_id, true, 'transcription', 'running', 'batch', now(), now() + interval '1 day',
  %(segments)s * 150000, 'bench', 1, %(segments)s, %(segments)s
 FROM lane l, generate_series(1, %(items)s / %(lanes)s / %(segments)s) n ORDER BY n, l.id"""
_ITEMS = """INSERT INTO work_item (job_id, tenant_id, lane_id, step, ordinal, start_ms, end_ms, cost_ms, turn)
 SELECT j.id, j.tenant_id, l.id, 'transcribe', s, s * 150000, (s + 1) * 150000, 5000 + (random() * 10000)::int, s
 FROM job j JOIN lane l ON l.tenant_id = j.tenant_id, generate_series(0, %(segments)s - 1) s"""


@dataclass(frozen=True, slots=True)
class Claims:
    """When each claim ended and the milliseconds it took, in order of time; CPU per claim of its database backend."""

    ended_s: list[float]
    took_ms: list[float]
    backend_cpu_ms: float

    @property
    def per_s(self) -> int:
        return round(len(self.ended_s) / (self.ended_s[-1] - self.ended_s[0]))


@dataclass(frozen=True, slots=True)
class Run:
    """What one claimer shall do; times by the clock that all processes share."""

    start_at_s: float
    end_at_s: float
    count: int
    pause_s: float


def _fill(items: int) -> float:
    """The queue as accepts would have left it; the seconds it took."""
    from django.db import connections

    begun = time.monotonic()
    values: dict[str, Any] = {"queue": QUEUE, "lanes": LANES, "items": items, "segments": SEGMENTS}
    with connections["owner"].cursor() as cursor:
        for sql in (_LANES, _JOBS, _ITEMS):
            cursor.execute(sql, values)
        cursor.execute("VACUUM (ANALYZE) work_item, job, lane")
    return time.monotonic() - begun


@contextmanager
def _open_snapshot() -> Iterator[None]:
    """A report that runs for the whole time: nothing that dies after it began may be cleaned away."""
    from django.db import connections, transaction

    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT count(*) FROM lane")
        yield


def _claimer(run: Run) -> tuple[list[tuple[float, float]], float]:
    """One claimer: (when, milliseconds) of each claim, and its backend's CPU in milliseconds."""
    from django.db import connections

    from dispatch.facade import claim

    with connections["system"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
        time.sleep(max(0.0, run.start_at_s - time.monotonic()))
        found: list[tuple[float, float]] = []
        before, held = common.cpu(backend).own_ms, []
        while len(found) < run.count and time.monotonic() < run.end_at_s:
            if run.pause_s:
                time.sleep(random.uniform(0, 2 * run.pause_s))
            begun = time.monotonic()
            lease = claim(QUEUE, slots=SLOTS)
            ended = time.monotonic()
            assert lease is not None
            found.append((ended, (ended - begun) * 1000))
            held.append(lease.item_id)
            if len(held) == FINISH_EACH:
                cursor.execute("DELETE FROM work_item WHERE id = ANY(%s)", [held])
                held.clear()
        return found, common.cpu(backend).own_ms - before


def _all_claims(pool: ProcessPoolExecutor, *, claims: int, limit_s: float, pause_s: float = 0.0) -> Claims:
    start = time.monotonic() + 2
    run = Run(start, start + limit_s, claims // CLAIMERS, pause_s)
    results = list(pool.map(_claimer, [run] * CLAIMERS))
    every = sorted(claim for found, _ in results for claim in found)
    cpu_ms = sum(cpu_ms for _, cpu_ms in results) / len(every)
    return Claims([ended for ended, _ in every], [took for _, took in every], cpu_ms)


def _percentiles(took_ms: Sequence[float]) -> dict[str, float]:
    return {f"p{percent}_ms": common.tidy(common.percentile(took_ms, percent)) for percent in (50, 95, 99)}


def _measure(items: int, claims: int) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    with common.stack() as stack:
        filled_s = _fill(items)
        pool = ProcessPoolExecutor(CLAIMERS, context, initializer=common.set_up_django, initargs=(stack.env,))
        with pool, _open_snapshot():
            _all_claims(pool, claims=80, limit_s=30.0)  # starts the processes and their connections
            aging = _all_claims(pool, claims=claims, limit_s=AGING_LIMIT_S)
            paced = _all_claims(pool, claims=claims, limit_s=PACED_S, pause_s=PAUSE_S)
    edge = min(EDGE, len(aging.took_ms) // 2)
    whole = items == ITEMS and len(aging.took_ms) >= CLAIMS
    return {
        "paced": _percentiles(paced.took_ms) | {"per_s": paced.per_s},
        "saturated_first": _percentiles(aging.took_ms[:edge]),
        "saturated_last": _percentiles(aging.took_ms[-edge:]),
        "saturated_claims_per_s": aging.per_s,
        "backend_cpu_ms_per_claim": {
            "saturated": common.tidy(aging.backend_cpu_ms, 3),
            "paced": common.tidy(paced.backend_cpu_ms, 3),
        },
        "claims_before_pacing": len(aging.took_ms),
        "items": items,
        "lanes": LANES,
        "claimers": CLAIMERS,
        "cores": os.cpu_count(),
        "filled_in_s": common.tidy(filled_s, 1),
        "goal": GOAL + " (paced)",
        "reached": whole and common.percentile(paced.took_ms, 99) <= MAX_P99_MS,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--claims", type=int, default=CLAIMS)
    given = parser.parse_args()
    common.run("claims", partial(_measure, given.items, given.claims), limit_s=240)

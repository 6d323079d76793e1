"""Every second: whatever time or a crash has left behind is put back in order. Any number of sweepers may run.

Each step is one query over all tenants, whatever their number; nothing here ever walks through tenants' schemas.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from dispatch import backlog, broker, dead_letters, queue
from dispatch.contracts import DueHandlers, JobKinds, Lease
from observe.facade import get_logger

SYSTEM = "system"
BATCH = 500
SLOW_EVERY_S = 10.0
HOUR_S = 3600.0
DAYS_AHEAD = 3  # a database that nobody sweeps for a weekend still takes events

_EXPIRED = """SELECT w.id, w.lease_token, w.job_id, w.tenant_id, j.kind, w.lane_id, l.queue, w.step, w.ordinal,
  w.start_ms, w.end_ms, w.cost_ms, w.attempt, w.choice, w.error_code
 FROM work_item w JOIN job j ON j.id = w.job_id JOIN lane l ON l.id = w.lane_id
 WHERE w.state = 'leased' AND w.lease_token IS NOT NULL AND w.lease_until < now()
 ORDER BY w.lease_until LIMIT %s FOR UPDATE OF w SKIP LOCKED"""
_REQUEUE = """UPDATE work_item w SET state = 'queued', lease_token = NULL, lease_until = NULL, not_before = NULL,
  turn = (SELECT turn FROM lane WHERE id = w.lane_id) WHERE id = ANY(%s) RETURNING lane_id"""
_DUE_AGAIN = """SELECT id FROM work_item WHERE state = 'waiting' AND not_before <= now()
 ORDER BY not_before LIMIT %s FOR UPDATE SKIP LOCKED"""
_OVERDUE_JOBS = """SELECT id, tenant_id, kind FROM job WHERE state IN ('queued', 'running') AND deadline_at < now()
 ORDER BY deadline_at LIMIT %s"""
_DUE_DATES = """SELECT id, kind, tenant_id, subject_id FROM due_date WHERE due_at <= now() ORDER BY due_at LIMIT %s"""
_READY = "SELECT DISTINCT split_part(queue, '/', 1) FROM lane WHERE active"
_LIFT = """UPDATE lane SET virtual_time = c.v FROM (SELECT queue, max(virtual_time) AS v FROM queue_clock
  GROUP BY queue) c WHERE lane.queue = c.queue AND lane.active AND lane.virtual_time < c.v"""
_FORGOTTEN = """SELECT id FROM lane l WHERE NOT active
 AND EXISTS (SELECT 1 FROM work_item w WHERE w.lane_id = l.id AND w.state = 'queued')"""
_PRUNE_CLOCK = """DELETE FROM queue_clock c WHERE virtual_time < (SELECT max(virtual_time) FROM queue_clock m
  WHERE m.queue = c.queue)"""

log = get_logger(__name__)


class Sweeper:
    """One process's sweeper; `tick` does one round."""

    def __init__(
        self,
        kinds: JobKinds,
        due_handlers: DueHandlers,
        *,
        days_kept: Mapping[str, int],
        hourly: Sequence[Callable[[], object]],
        often: Sequence[Callable[[], object]] = (),
    ) -> None:
        self._kinds = kinds
        self._due_handlers = due_handlers
        self._days_kept = days_kept
        self._hourly = hourly
        self._often = often
        self._next_slow = 0.0
        self._next_hourly = 0.0

    def tick(self) -> None:
        """One round; a step that fails is logged and the others go on."""
        steps: list[Callable[[], None]] = [self._expired_leases, self._waiting_items, self._overdue_jobs]
        steps += [self._due_dates, self._wake_workers]
        now = time.monotonic()
        if now >= self._next_slow:
            self._next_slow = now + SLOW_EVERY_S
            steps += [self._forgotten_lanes, self._clock, backlog.measure, self._run_often]
        if now >= self._next_hourly:
            self._next_hourly = now + HOUR_S
            steps += [self._make_partitions, self._run_hourly]
        for step in steps:
            _guarded(step)

    def _expired_leases(self) -> None:
        with transaction.atomic(using=SYSTEM):
            leases = [_expired_lease(row) for row in _rows(_EXPIRED, [BATCH])]
            again = [lease.item_id for lease, _ in leases if not dead_letters.is_last_attempt(lease)]
            _requeue(again)
        for lease, code in leases:
            if dead_letters.is_last_attempt(lease):
                self._give_up(lease, code or "worker_died")
        if leases:
            log.info("leases_expired", count=len(leases), requeued=len(again))

    def _give_up(self, lease: Lease, code: str) -> None:
        detail = "The worker died or hung on every attempt. An operator can replay the job."
        self._fail(lease.kind, lease.job_id, lease.tenant_id, code, detail, lease)

    def _waiting_items(self) -> None:
        with transaction.atomic(using=SYSTEM):
            _requeue([row[0] for row in _rows(_DUE_AGAIN, [BATCH])])

    def _overdue_jobs(self) -> None:
        for job_id, tenant_id, kind in _rows(_OVERDUE_JOBS, [BATCH]):
            detail = "The job did not end before its deadline. Nothing was billed; send it again."
            self._fail(kind, job_id, tenant_id, "deadline_exceeded", detail, None)

    def _fail(self, kind: str, job_id: UUID, tenant_id: UUID, code: str, detail: str, letter: Lease | None) -> None:
        try:
            self._kinds[kind].fail(job_id, tenant_id, code, detail, letter)
        except Exception as error:  # one job's trouble must not hold up the others; the next tick tries it again
            log.exception("fail_failed", job_id=str(job_id), error=type(error).__name__)

    def _due_dates(self) -> None:
        for date_id, kind, tenant_id, subject_id in _rows(_DUE_DATES, [BATCH]):
            try:
                self._due_handlers[kind](tenant_id, subject_id)
                _run("DELETE FROM due_date WHERE id = %s", [date_id])
            except Exception as error:
                # One that cannot be done now must not hold up the others.
                log.exception("due_date_failed", kind=kind, subject_id=str(subject_id), error=type(error).__name__)
                _run("UPDATE due_date SET due_at = now() + interval '5 minutes' WHERE id = %s", [date_id])

    def _wake_workers(self) -> None:
        for (executor,) in _rows(_READY, []):
            broker.wake(executor)

    def _forgotten_lanes(self) -> None:
        with transaction.atomic(using=SYSTEM):
            queue.activate([row[0] for row in _rows(_FORGOTTEN, [])], using=SYSTEM)

    def _clock(self) -> None:
        with connections[SYSTEM].cursor() as cursor:
            cursor.execute(_LIFT)
            cursor.execute(_PRUNE_CLOCK)
            cursor.execute("DELETE FROM executor_host WHERE alive_until < now() - interval '1 minute'")

    def _make_partitions(self) -> None:
        with connections[SYSTEM].cursor() as cursor:
            for table, days in self._days_kept.items():
                cursor.execute("SELECT public.parlance_make_partitions(%s, 'day', %s)", [table, DAYS_AHEAD])
                cursor.execute("SELECT public.parlance_drop_partitions(%s, 'day', %s)", [table, days])

    def _run_often(self) -> None:
        for task in self._often:
            task()

    def _run_hourly(self) -> None:
        for task in self._hourly:
            task()


def _requeue(item_ids: list[int]) -> None:
    """Back to `queued`, behind what the lane has begun, inside the caller's transaction."""
    if item_ids:
        lanes = [row[0] for row in _rows(_REQUEUE, [item_ids])]
        queue.activate(lanes, using=SYSTEM)


def _expired_lease(row: tuple[Any, ...]) -> tuple[Lease, str | None]:
    names = ("item_id", "token", "job_id", "tenant_id", "kind", "lane_id", "queue", "step", "ordinal", "start_ms",
             "end_ms", "cost_ms", "attempt", "choice")  # fmt: skip
    return Lease(**dict(zip(names, row[:-1], strict=True))), row[-1]


def _rows(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _run(sql: str, values: list[Any]) -> None:
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(sql, values)


def _guarded(step: Callable[[], None]) -> None:
    try:
        step()
    except Exception as error:
        log.exception("sweep_step_failed", step=step.__name__, error=type(error).__name__)
        connections[SYSTEM].close()

"""A woken worker: claims until its executor has nothing left or a minute has passed, and runs what it claimed."""

from __future__ import annotations

import random
import threading
import time
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.db import Error, connections, transaction

from dispatch import broker, claims, dead_letters
from dispatch.contracts import (
    GiveUp,
    JobKinds,
    Lease,
    LeaseLost,
    RetryLater,
    executor_of,
    queue_name,
)
from dispatch.heart import heart
from dispatch.slots import Slots
from observe.facade import failpoint, get_logger, record
from observe.instruments import STEP_SECONDS

SESSION_S = 60.0
HOST_ALIVE_S = 30
PROVIDERS = "cloud:"
IDLE_CHECK_S = 0.02
MAX_BACKOFF_S = 60.0
TRUE_UP_FROM_MS = 50  # of inline work, which is charged by what it took so far: less changes nobody's turn

_RELEASE = """UPDATE work_item SET state = 'waiting', lease_token = NULL, lease_until = NULL, error_code = %s,
 not_before = now() + %s * interval '1 second' WHERE id = %s AND lease_token = %s AND state = 'leased'"""
_REGISTER = """INSERT INTO executor_host (executor, host_id, slots, alive_until)
 VALUES (%(executor)s, %(host)s, %(slots)s, now() + %(alive)s * interval '1 second')
 ON CONFLICT (executor, host_id) DO UPDATE SET alive_until = excluded.alive_until, slots = excluded.slots"""
_TOTAL = "SELECT coalesce(sum(slots), 0) FROM executor_host WHERE executor = %s AND alive_until > now()"

log = get_logger(__name__)


class Worker:
    """Runs the items of some executors in this process."""

    def __init__(self, kinds: JobKinds, *, slots: dict[str, int], stop: threading.Event) -> None:
        self._kinds = kinds
        self._slots = {executor: Slots(count) for executor, count in slots.items()}
        self._stop = stop
        self._host: UUID = uuid4()
        self._registered = False
        self._totals: dict[str, tuple[float, int]] = {}

    @property
    def slots(self) -> dict[str, int]:
        """How many items of each executor run here at once."""
        return {executor: slots.count for executor, slots in self._slots.items()}

    def wait_until_idle(self, *, limit_s: float | None = None) -> None:
        """Return once nothing runs here any more, or after the limit; call it after the stop event was set."""
        until = time.monotonic() + limit_s if limit_s is not None else float("inf")
        while any(slots.busy for slots in self._slots.values()) and time.monotonic() < until:
            time.sleep(IDLE_CHECK_S)

    def drain(self, executor: str) -> int:
        """Handle one wake-up: how many items were run."""
        _close_broken_connections()
        try:
            return self._drain(executor)
        except Error as error:
            # The database is restarting; the sweeper wakes us again as soon as both are back.
            log.warning("drain_stopped", executor=executor, error=type(error).__name__)
            _close_broken_connections()
            return 0

    def _drain(self, executor: str) -> int:
        slots, done, until = self._slots[executor], 0, time.monotonic() + SESSION_S
        with slots.take() as slot:
            while slot is not None and not self._stop.is_set() and time.monotonic() < until:
                lease, turned_away = slots.look(partial(self._claim, executor, slots, slot), only_if_alone=not done)
                if lease is None:
                    break
                if not done or turned_away:
                    broker.wake(executor)  # there may be more: let one more worker look
                self.run(lease)
                done += 1
        return done

    def run(self, lease: Lease) -> None:
        """Run one leased item, and at once those it hands on to this process."""
        pending = [lease]
        while pending:
            pending += self._run_one(pending.pop(0))

    def register(self) -> None:
        """Say that this process serves its executors; repeated every few seconds."""
        with connections["system"].cursor() as cursor:
            for executor, slots in self._slots.items():
                values: dict[str, Any] = {
                    "executor": executor,
                    "host": self._host,
                    "slots": slots.count,
                    "alive": HOST_ALIVE_S,
                }
                cursor.execute(_REGISTER, values)

    def keep_registered(self, *, every_s: float) -> None:
        """Until told to stop, from a thread of its own."""
        while not self._stop.wait(0 if not self._registered else every_s):
            try:
                self.register()
                self._registered = True
            except Error as error:
                log.warning("register_failed", error=type(error).__name__)
                connections["system"].close()
                self._stop.wait(every_s)

    def _claim(self, executor: str, slots: Slots, slot: int) -> Lease | None:
        if executor.startswith(PROVIDERS) and claims.taken(executor) >= self._total(executor):
            return None  # processes that answer requests call the provider too; the sweeper wakes us again
        for service_class in slots.classes(slot):
            lease = claims.claim(queue_name(executor, service_class), slots=self._total(executor))
            if lease is not None:
                slots.give(service_class, lease.cost_ms)
                return lease
        return None

    def _total(self, executor: str) -> int:
        """Slots of the executor in all processes, re-read every few seconds."""
        read_at, total = self._totals.get(executor, (0.0, 0))
        if time.monotonic() - read_at > 2:
            with connections["system"].cursor() as cursor:
                cursor.execute(_TOTAL, [executor])
                total = max(int(cursor.fetchone()[0]), self._slots[executor].count)
            self._totals[executor] = (time.monotonic(), total)
        return total

    def _run_one(self, lease: Lease) -> list[Lease]:
        failpoint(f"claimed.{lease.step}")
        started, outcome = time.monotonic(), "done"
        try:
            with heart.keep(lease):
                return self._kinds[lease.kind].run(lease)
        except LeaseLost:
            outcome = "lease_lost"
            log.info("lease_lost", job_id=str(lease.job_id), step=lease.step)
        except GiveUp as error:
            outcome = "failed"
            self._fail(lease, error.code, error.detail, bury=error.replayable)
        except RetryLater as error:
            outcome = "retried"
            self._retry(lease, error)
        except Exception as error:
            outcome = "crashed"
            log.exception("step_crashed", job_id=str(lease.job_id), step=lease.step, error=type(error).__name__)
            _close_broken_connections()
            self._retry(lease, RetryLater("internal_error", "Something went wrong on our side."))
        finally:
            took_s = time.monotonic() - started
            record(STEP_SECONDS, took_s, executor_of(lease.queue), lease.step, outcome)
            self._true_up(lease, round(took_s * 1000))
        return []

    def _retry(self, lease: Lease, error: RetryLater) -> None:
        if dead_letters.is_last_attempt(lease):
            self._fail(lease, error.code, error.detail, bury=True)
            return
        delay_s = error.delay_s if error.delay_s is not None else _backoff_s(lease.attempt)
        with transaction.atomic(using="system"), connections["system"].cursor() as cursor:
            cursor.execute(_RELEASE, [error.code, delay_s, lease.item_id, lease.token])
        log.info("step_retries", job_id=str(lease.job_id), step=lease.step, code=error.code, delay_s=delay_s)

    def _fail(self, lease: Lease, code: str, detail: str, *, bury: bool = False) -> None:
        # Ours for another lease's time, or lost: then the job's fate is with whoever holds the item now.
        claims.extend([lease])
        if lease.lost.is_set():
            log.info("lease_lost", job_id=str(lease.job_id), step=lease.step)
            return
        self._kinds[lease.kind].fail(lease.job_id, lease.tenant_id, code, detail, lease if bury else None)
        log.info("job_failed", job_id=str(lease.job_id), step=lease.step, code=code)

    def _true_up(self, lease: Lease, actual_ms: int) -> None:
        if lease.inline and abs(actual_ms - lease.cost_ms) < TRUE_UP_FROM_MS:
            return
        try:
            claims.true_up(lease, actual_ms=actual_ms)
        except Exception as error:  # an estimate stays an estimate; nothing else depends on it
            log.warning("true_up_failed", executor=executor_of(lease.queue), error=type(error).__name__)


def _backoff_s(attempt: int) -> float:
    """1, 2, 4 … seconds with full jitter, so that what failed together does not come back together."""
    return random.uniform(0, min(MAX_BACKOFF_S, 2.0**attempt))  # noqa: S311  # no secret depends on it


def _close_broken_connections() -> None:
    for connection in connections.all(initialized_only=True):
        connection.close_if_unusable_or_obsolete()

"""The end of a job that one process did in one go, in one statement and so in one round trip.

Result, register, money, event and due date, or none of them. The longer way of `closing` has the same outcome.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.db import connection

from billing.facade import SETTLE, Cost, MeasuredLine, charge
from dispatch.facade import COMPLETE, JobRow, Lease, LeaseLost, announce_ended
from events.facade import PUBLISH, event_values

NOTICE_FROM_S = 0.5  # nobody has come to wait for a job that is younger; a lost notice costs them a second

# S608: only constants are put together.
_FINISH = f"""WITH ended AS MATERIALIZED (SELECT {COMPLETE} AS number),
{{parts}}
SELECT ended.number, {SETTLE}, {PUBLISH.format(number="ended.number")}, {{told}} FROM ended
 WHERE ended.number IS NOT NULL"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Result:
    """What the job has brought: its rows, as parts of the statement that read `ended`, which has a number if the job
    ends by it. `told` is an expression whose value comes back; at `due`, a kind of due date, something is cleaned up.
    """

    parts: str
    values: Mapping[str, Any] = field(default_factory=dict)
    told: str = "NULL"
    due: str | None = None
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """What the job costs, None for a test key's, and what the result wanted to be told."""

    cost: Cost | None
    told: Any


def as_completed(job: JobRow, *, begun_s: float) -> JobRow:
    """The row as the statement will leave it; its end is told by the database's clock of the beginning.

    `begun_s` is this process's monotonic clock when the job was accepted.
    """
    took = timedelta(seconds=time.monotonic() - begun_s)
    done_ms = job.done_ms if job.measured_ms is None else job.measured_ms
    return replace(
        job, state="completed", finished_at=job.created_at + took, segments_left=0, done_ms=done_ms,
        event_sequence=job.event_sequence + 1,
    )  # fmt: skip


def finish(
    lease: Lease, ended: JobRow, *, result: Result, line: MeasuredLine, shown: Callable[[Cost | None], dict[str, Any]]
) -> Finished:
    """Complete the job; raises `LeaseLost`, having changed nothing. `shown` is the resource for its event."""
    cost, charged = charge(
        ended.price_version or 0, line, livemode=ended.livemode, tenant_id=ended.tenant_id, tags=result.tags
    )
    cost_shown = cost if ended.livemode else None
    event = event_values(f"{ended.kind}.completed", shown(cost_shown))
    values = _values(lease, ended, result) | charged | event
    with connection.cursor() as cursor:
        cursor.execute(_statement(result.parts, result.told), values)
        row = cursor.fetchone()
    if row is None:
        raise LeaseLost
    if ended.finished_at is None or ended.finished_at - ended.created_at > timedelta(seconds=NOTICE_FROM_S):
        announce_ended(ended.id)
    return Finished(cost_shown, row[3])


@lru_cache(maxsize=16)
def _statement(parts: str, told: str) -> str:
    return _FINISH.format(parts=parts, told=told)


def _values(lease: Lease, job: JobRow, result: Result) -> dict[str, Any]:
    return {
        "job_id": job.id, "tenant_id": job.tenant_id, "livemode": job.livemode, "api_key_id": job.api_key_id,
        "created_at": job.created_at, "finished_at": job.finished_at, "item_id": lease.item_id, "token": lease.token,
        "due_kind": result.due, **result.values,
    }  # fmt: skip

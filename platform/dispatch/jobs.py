"""The job register: states and fenced steps. Writers lock the job first and its items second, so none deadlocks.

queued → running → completed | failed | canceled
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

from dispatch.contracts import JOB_COLUMNS, JobRow, Lease, LeaseLost, ServiceClass

_GET = f"SELECT {JOB_COLUMNS} FROM job WHERE id = %s AND deleted_at IS NULL"  # noqa: S608  # a constant
_GET_DELETED = f"SELECT {JOB_COLUMNS} FROM job WHERE id = %s AND deleted_at IS NOT NULL"  # noqa: S608
_OPEN = "SELECT id, kind FROM job WHERE tenant_id = %s AND state IN ('queued', 'running') AND deleted_at IS NULL"
_START = """UPDATE job SET state = 'running', started_at = coalesce(started_at, now()), engine = coalesce(%s, engine)
 WHERE id = %s AND state = 'queued'"""
_CUT = """UPDATE job SET segments_total = %s, segments_left = %s, measured_ms = %s, engine = %s, service_class = %s
 WHERE id = %s AND state = 'running'"""
_LOCK = f"SELECT {JOB_COLUMNS} FROM job WHERE id = %s AND deleted_at IS NULL FOR UPDATE"  # noqa: S608
_TAKE_OVER = (
    """UPDATE job SET measured_ms = %s, engine = %s, done_ms = coalesce(%s, 0) WHERE id = %s AND state = 'running'"""
)
# Nobody waits for the disk before a piece is sent: every later commit of weight brings this one there too, and should
# the database itself crash within that half second, the customer pays for less than was read.
_READABLE = """WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE job SET readable_ms = greatest(readable_ms, %s) FROM soon
 WHERE id = %s AND state = 'running'"""
_COUNT_DOWN = """UPDATE job SET segments_left = segments_left - 1, done_ms = done_ms + %s
 WHERE id = %s AND state = 'running' RETURNING segments_left"""
_END = f"""UPDATE job SET state = %s, finished_at = now(), error_code = %s, event_sequence = event_sequence + 1
 WHERE id = %s AND state IN ('queued', 'running') RETURNING {JOB_COLUMNS}"""  # noqa: S608
_NEXT_SEQUENCE = """UPDATE job SET event_sequence = event_sequence + 1 WHERE id = %s AND deleted_at IS NULL
 RETURNING event_sequence"""
_START_OVER = "UPDATE job SET engine = %s, done_ms = 0 WHERE id = %s"
_REMOVE_ALL = "DELETE FROM work_item WHERE job_id = %s"
_REMOVE_ITEM = "DELETE FROM work_item WHERE id = %s AND lease_token = %s AND state = 'leased'"


# What the register says of ended live jobs, for whoever compares it with the books: ms of audio, or characters
# that were said before a cancel. Null where it does not know; a failed job has done nothing that is paid for.
ENDED_LIVE = """(SELECT id, tenant_id, created_at, state,
  CASE state WHEN 'completed' THEN measured_ms WHEN 'failed' THEN 0 ELSE readable_ms END AS measured
 FROM public.job WHERE livemode AND finished_at IS NOT NULL AND state IN ('completed', 'failed', 'canceled'))"""
# The end of a job that one process did in one go, inside the statement that finishes it: its event's number, or null.
COMPLETE = """public.parlance_complete_job(%(job_id)s, %(item_id)s::bigint, %(token)s, %(finished_at)s,
 %(due_kind)s::text)"""


def get_job(job_id: UUID, *, using: str = DEFAULT_DB_ALIAS) -> JobRow | None:
    """The job, or None: unknown, deleted, or behind the wall."""
    row = _one(_GET, [job_id], using=using)
    return JobRow(*row) if row else None


def get_deleted_job(job_id: UUID, *, using: str) -> JobRow | None:
    """What is left of a job whose content was erased, or None."""
    row = _one(_GET_DELETED, [job_id], using=using)
    return JobRow(*row) if row else None


def open_jobs(tenant_id: UUID, *, using: str) -> list[tuple[UUID, str]]:
    """Id and kind of the tenant's jobs that have not ended."""
    with connections[using].cursor() as cursor:
        cursor.execute(_OPEN, [tenant_id])
        return list(cursor.fetchall())


def lock_job(job_id: UUID) -> JobRow | None:
    """The job, its row locked until the caller's transaction ends; None like `get_job`."""
    row = _one(_LOCK, [job_id], using=DEFAULT_DB_ALIAS)
    return JobRow(*row) if row else None


def mark_readable(job_id: UUID, *, readable_ms: int) -> None:
    """So much of the job's audio has been read as text: a cancel from now on bills it. Never less than before."""
    _run(_READABLE, [readable_ms, job_id])


def start(job_id: UUID, *, engine: str | None = None) -> None:
    """`queued` becomes `running`, with its engine where that is known; anything else stays."""
    _run(_START, [engine, job_id])


def cut_into_segments(
    lease: Lease, *, segments: int, left: int, measured_ms: int | None, engine: str, service_class: ServiceClass
) -> None:
    """The result of `prepare`, fenced: raises `LeaseLost` when the job has ended or the item is not ours."""
    if _run(_CUT, [segments, left, measured_ms, engine, service_class, lease.job_id]) != 1:
        raise LeaseLost
    remove(lease)


def take_over(lease: Lease, *, measured_ms: int | None, engine: str) -> None:
    """The job has another job's result, fenced: raises `LeaseLost` when it has ended or the item is not ours."""
    if _run(_TAKE_OVER, [measured_ms, engine, measured_ms, lease.job_id]) != 1:
        raise LeaseLost
    remove(lease)


def finish_segment(lease: Lease) -> int:
    """One segment is checkpointed: how many are left. The one caller that gets 0 enqueues `merge`; fenced."""
    row = _one(_COUNT_DOWN, [lease.end_ms - lease.start_ms, lease.job_id], using=DEFAULT_DB_ALIAS)
    if row is None:
        raise LeaseLost
    remove(lease)
    return int(row[0])


def end(
    job_id: UUID,
    *,
    state: str,
    error_code: str | None = None,
    lease: Lease | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> JobRow | None:
    """Move to a terminal state and drop every item still there. None when the job had ended before: do nothing.

    With a lease, only its holder may end the job: raises `LeaseLost` otherwise.
    """
    row = _one(_END, [state, error_code, job_id], using=using)
    if row is None:
        return None
    if lease is not None:
        remove(lease)
    _run("DELETE FROM work_item WHERE job_id = %s", [job_id], using=using)
    return JobRow(*row)


def remove(lease: Lease) -> None:
    """Delete the leased item; raises `LeaseLost` when the lease is not in force any more."""
    if _run(_REMOVE_ITEM, [lease.item_id, lease.token]) != 1:
        raise LeaseLost


def start_over(lease: Lease, *, engine: str) -> None:
    """All of the job is done anew, with this engine: whoever is at a part of it has lost its lease. Under its lock.

    Raises `LeaseLost` when the caller's own is not in force any more.
    """
    remove(lease)
    _run(_REMOVE_ALL, [lease.job_id])
    _run(_START_OVER, [engine, lease.job_id])


def next_sequence(job_id: UUID) -> int | None:
    """The number of the job's next event, its row locked until the caller's transaction ends; None once deleted."""
    row = _one(_NEXT_SEQUENCE, [job_id], using=DEFAULT_DB_ALIAS)
    return int(row[0]) if row else None


def mark_deleted(job_id: UUID) -> None:
    """The content is gone, and whatever was still to be done with it; the register's row stays for the books."""
    _run("UPDATE job SET deleted_at = now(), event_sequence = event_sequence + 1 WHERE id = %s", [job_id])
    _run("DELETE FROM work_item WHERE job_id = %s", [job_id])


def traceparents(job_ids: Sequence[UUID]) -> dict[UUID, str]:
    """In which trace each of these jobs was asked for."""
    with connections["system"].cursor() as cursor:
        cursor.execute("SELECT id, traceparent FROM job WHERE id = ANY(%s)", [list(job_ids)])
        return dict(cursor.fetchall())


def _run(sql: str, values: Sequence[Any], *, using: str = DEFAULT_DB_ALIAS) -> int:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def _one(sql: str, values: Sequence[Any], *, using: str) -> tuple[Any, ...] | None:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def reopen(job_id: UUID) -> JobRow | None:
    """A failed job runs again (replay of a dead letter); None unless it is failed and still there."""
    sql = f"""UPDATE job SET state = 'running', finished_at = NULL, error_code = NULL,
      deadline_at = now() + (deadline_at - created_at) WHERE id = %s AND state = 'failed' AND deleted_at IS NULL
      RETURNING {JOB_COLUMNS}"""  # noqa: S608
    row = _one(sql, [job_id], using=DEFAULT_DB_ALIAS)
    return JobRow(*row) if row else None

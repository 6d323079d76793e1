"""Calls of engines that somebody else runs, written down before and after: who resumes a step asks for what was
submitted, instead of paying for it again.

Between two questions the item waits, holding no worker. All of it is fenced by the item's lease.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from dispatch.contracts import Lease, LeaseLost
from dispatch.parking import park
from dispatch.queue import activate

_BEGIN = "SELECT * FROM public.parlance_begin_attempt(%s::bigint, %s, %s, %s, %s)"
_NOTE_ID = "UPDATE engine_attempt SET external_id = %s WHERE job_id = %s AND number = %s"
_END = """UPDATE engine_attempt SET ended_at = now(), outcome = %s, model = coalesce(nullif(%s, ''), model),
  external_id = coalesce(nullif(%s, ''), external_id) WHERE job_id = %s AND number = %s AND ended_at IS NULL"""
_LET_GO = "UPDATE work_item SET call = NULL WHERE id = %s AND lease_token = %s AND state = 'leased'"
_IS_FOR = """UPDATE engine_attempt SET ordinal = %s, start_ms = %s, end_ms = %s WHERE job_id = %s AND number = %s"""
_BEGIN_RIVAL = """INSERT INTO engine_attempt (job_id, number, tenant_id, ordinal, start_ms, end_ms, engine, model)
 SELECT w.job_id, (SELECT max(number) FROM engine_attempt WHERE job_id = w.job_id) + 1, w.tenant_id, w.ordinal,
  w.start_ms, w.end_ms, %s, %s FROM work_item w
 WHERE w.id = %s AND w.lease_token = %s AND w.state = 'leased' AND w.call IS NOT NULL RETURNING number"""
_END_RIVALS = """UPDATE engine_attempt SET ended_at = now(), outcome = %s
 WHERE job_id = %s AND ordinal = %s AND number <> %s AND ended_at IS NULL RETURNING number, engine"""
_FIND = """SELECT job_id, number, engine, external_id FROM engine_attempt
 WHERE job_id = %s AND number = %s AND ended_at IS NULL"""
_TAKE = """UPDATE work_item w SET state = 'leased', attempt = w.attempt + 1, lease_token = gen_random_uuid(),
  lease_until = now() + %s * interval '1 second', not_before = NULL
 FROM job j, lane l WHERE w.job_id = %s AND w.call = %s AND w.state = 'waiting' AND j.id = w.job_id
  AND l.id = w.lane_id
 RETURNING w.id, w.lease_token, w.job_id, w.tenant_id, j.kind, w.lane_id, l.queue, w.step, w.ordinal, w.start_ms,
  w.end_ms, w.cost_ms, w.attempt, w.choice, w.call"""
_HURRY = """UPDATE work_item w SET state = 'queued', not_before = NULL,
  turn = (SELECT turn FROM lane WHERE id = w.lane_id)
 WHERE w.job_id = %s AND w.call = %s AND w.state = 'waiting' RETURNING w.lane_id"""
_WITHDRAW = """DELETE FROM work_item WHERE job_id = %s AND step = %s AND choice < %s
  AND (state = 'queued' OR state = 'waiting') AND call IS NULL RETURNING ordinal, start_ms, end_ms, choice"""
_UNDER_WAY = "SELECT ordinal, start_ms, end_ms, choice FROM work_item WHERE job_id = %s AND step = %s"
_GO_ON_WITH = "UPDATE job SET engine = %s WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call under way; with an `external_id` it was taken by the provider `age_s` ago and can be asked for."""

    job_id: UUID
    number: int
    engine: str
    external_id: str = ""
    age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the job: its ordinal, its span, and which engine of the route it is for."""

    ordinal: int
    start_ms: int
    end_ms: int
    choice: int


def begin_attempt(lease: Lease, *, engine: str, model: str) -> Attempt:
    """The call that the item waits for, or a new one, written down and committed before it is made.

    Raises `LeaseLost`, having changed nothing.
    """
    row = _one(_BEGIN, [lease.item_id, lease.token, lease.job_id, engine, model])
    if row is None:
        raise LeaseLost
    number, external_id, age_s = row
    return Attempt(lease.job_id, number, engine, external_id, age_s)


def begin_rival(lease: Lease, *, engine: str, model: str) -> Attempt:
    """A second call for the item beside the one that it waits for. In the caller's transaction, under the job's lock.

    Raises `LeaseLost`. Should its process die, it is interrupted with the item's own call.
    """
    row = _one(_BEGIN_RIVAL, [engine, model, lease.item_id, lease.token])
    if row is None:
        raise LeaseLost
    return Attempt(lease.job_id, row[0], engine)


def end_rivals(winner: Attempt, *, ordinal: int, outcome: str) -> list[Attempt]:
    """End every other call that is under way for the winner's part. In a transaction fenced by the item's lease."""
    rows = _all(_END_RIVALS, [outcome, winner.job_id, ordinal, winner.number])
    return [Attempt(winner.job_id, number, engine) for number, engine in rows]


def await_attempt(lease: Lease, attempt: Attempt, *, external_id: str, for_s: float) -> None:
    """The provider has taken it: the item waits. Raises `LeaseLost`. In the caller's transaction."""
    if external_id != attempt.external_id:
        _run(_NOTE_ID, [external_id, attempt.job_id, attempt.number])
    park(lease, at_most_s=for_s)


def end_attempt(attempt: Attempt, *, outcome: str, model: str = "", external_id: str = "") -> None:
    """The call is over. In the caller's transaction, which must be fenced by the item's lease."""
    _run(_END, [outcome, model, external_id, attempt.job_id, attempt.number])


def let_go(lease: Lease) -> None:
    """The item is not at any call now: the next claim makes a new one. Raises `LeaseLost`."""
    if _run(_LET_GO, [lease.item_id, lease.token]) != 1:
        raise LeaseLost


def is_for(attempt: Attempt, part: Stretch) -> None:
    """The call, of an item that is the whole job, is for this part of it. In the transaction that begins it."""
    _run(_IS_FOR, [part.ordinal, part.start_ms, part.end_ms, attempt.job_id, attempt.number])


def find_attempt(job_id: UUID, number: int) -> Attempt | None:
    """A call that is under way; None when it is over, or was never made."""
    row = _one(_FIND, [job_id, number])
    return Attempt(*row) if row else None


def take_waiting(attempt: Attempt) -> Lease | None:
    """The item that waits for this call, leased to the caller; None when it does not wait (any more, or yet)."""
    row = _one(_TAKE, [settings.LEASE_S, attempt.job_id, attempt.number])
    names = ("item_id", "token", "job_id", "tenant_id", "kind", "lane_id", "queue", "step", "ordinal", "start_ms",
             "end_ms", "cost_ms", "attempt", "choice", "call")  # fmt: skip
    return Lease(**dict(zip(names, row, strict=True))) if row else None


def hurry(attempt: Attempt) -> bool:
    """Queue the item that waits for this call at once; False when none does. In the caller's transaction."""
    row = _one(_HURRY, [attempt.job_id, attempt.number])
    if row is not None:
        activate([row[0]], using=DEFAULT_DB_ALIAS)
    return row is not None


def withdraw(job_id: UUID, *, step: str, below_choice: int) -> list[Stretch]:
    """Take back what nobody works on and no provider has of the job's earlier choices. Under the job's lock."""
    return [Stretch(*row) for row in _all(_WITHDRAW, [job_id, step, below_choice])]


def under_way(job_id: UUID, *, step: str) -> list[Stretch]:
    """The parts of a job that are queued, worked on or waited for. Under the job's lock."""
    return [Stretch(*row) for row in _all(_UNDER_WAY, [job_id, step])]


def go_on_with(job_id: UUID, *, engine: str) -> None:
    """The job's engine is another one from now on. Under the job's lock."""
    _run(_GO_ON_WITH, [engine, job_id])


def _run(sql: str, values: Any) -> int:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def _one(sql: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
    rows = _all(sql, values)
    return rows[0] if rows else None


def _all(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())

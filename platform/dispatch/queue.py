"""Writes of the accepting side: jobs, and items into lanes. All inside the caller's transaction.

No item may be lost between a claimer that finds a lane empty and an accept that adds to it. Accepts hold the lane's
advisory lock shared until they commit; a claimer deactivates a lane only under the same lock held exclusively, and only
after looking again. Claims themselves never touch that lock, so accepts do not slow them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from dispatch.contracts import JOB_COLUMNS, JobRow, Lease, NewItem, NewJob, queue_name

LANE_LOCK = 7_265_002  # first half of the advisory lock; the lane's id is the second

_ADD_JOB = f"""INSERT INTO job (id, tenant_id, livemode, kind, service_class, api_key_id, deadline_at, price_version,
 traceparent, state, created_at)
 VALUES (%s, %s, %s, %s, %s, %s, now() + %s * interval '1 second', %s, %s, 'queued', now()) RETURNING {JOB_COLUMNS}"""  # noqa: S608  # constants

_FIND_LANE = """SELECT id, pg_advisory_xact_lock_shared(%s, id::int) FROM lane
 WHERE queue = %s AND tenant_id = %s AND livemode = %s"""

_ADD_LANE = """INSERT INTO lane (queue, tenant_id, livemode, weight) VALUES (%s, %s, %s, %s)
 ON CONFLICT (queue, tenant_id, livemode) DO NOTHING"""

# An idle lane starts at V, the time of its queue's last claim: no credit for having been idle.
_ACTIVATE = """UPDATE lane SET active = true, virtual_time = greatest(virtual_time, coalesce((
   SELECT c.virtual_time FROM queue_clock c WHERE c.queue = lane.queue ORDER BY c.virtual_time DESC LIMIT 1), 0))
 WHERE id = %(lane)s AND NOT active"""

_LOCK_LANES = "SELECT pg_advisory_xact_lock_shared(%s, id) FROM unnest(%s::int[]) AS id"

# In the order of ids: two sweepers that wake the same lanes must not wait for each other.
_ACTIVATE_MANY = """WITH asleep AS MATERIALIZED (
  SELECT id FROM lane WHERE id = ANY(%s) AND NOT active ORDER BY id FOR UPDATE)
UPDATE lane SET active = true, virtual_time = greatest(virtual_time, coalesce((
   SELECT c.virtual_time FROM queue_clock c WHERE c.queue = lane.queue ORDER BY c.virtual_time DESC LIMIT 1), 0))
 FROM asleep WHERE lane.id = asleep.id"""

# Item k of a job takes the lane's turn + k: jobs of one tenant go round robin without a cursor per job.
# S608: only constants are put together.
_ADD_ITEMS = f"""WITH woken AS ({_ACTIVATE})
INSERT INTO work_item (job_id, tenant_id, lane_id, step, choice, ordinal, start_ms, end_ms, cost_ms, turn)
SELECT %(job)s, %(tenant)s, %(lane)s, %(step)s, %(choice)s, i.ordinal, i.start_ms, i.end_ms, i.cost_ms,
  (SELECT turn FROM lane WHERE id = %(lane)s) + i.place - 1
FROM unnest(%(ordinals)s::int[], %(starts)s::bigint[], %(ends)s::bigint[], %(costs)s::bigint[])
  WITH ORDINALITY AS i (ordinal, start_ms, end_ms, cost_ms, place)"""  # noqa: S608

_ADD_LEASED = """WITH charged AS (
  UPDATE lane SET virtual_time = greatest(virtual_time, coalesce((SELECT c.virtual_time FROM queue_clock c
    WHERE c.queue = lane.queue ORDER BY c.virtual_time DESC LIMIT 1), 0)) + %(cost)s * 100 / weight
  WHERE id = %(lane)s)
INSERT INTO work_item (job_id, tenant_id, lane_id, step, choice, ordinal, start_ms, end_ms, cost_ms, state, attempt,
  lease_token, lease_until)
VALUES (%(job)s, %(tenant)s, %(lane)s, %(step)s, %(choice)s, %(ordinal)s, %(start)s, %(end)s, %(cost)s, 'leased', 1,
  gen_random_uuid(), now() + %(lease)s * interval '1 second') RETURNING id, lease_token"""

_LANE_IS_IDLE = """SELECT NOT active AND NOT EXISTS (SELECT 1 FROM work_item WHERE lane_id = lane.id
   AND state = 'leased' AND lease_until > now() OFFSET 3) FROM lane WHERE id = %s"""


def add_job(job: NewJob, *, using: str = DEFAULT_DB_ALIAS) -> JobRow:
    """Insert the job in state `queued`."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            _ADD_JOB,
            [job.id, job.tenant_id, job.livemode, job.kind, job.service_class, job.api_key_id, job.deadline_s,
             job.price_version, job.traceparent],
        )  # fmt: skip
        return JobRow(*cursor.fetchone())


def enqueue(
    job: NewJob | JobRow, items: Sequence[NewItem], *, weight: int = 100, using: str = DEFAULT_DB_ALIAS
) -> None:
    """Add items (all of one step, executor and choice) to the tenant's lane and see that the lane is active."""
    first = items[0]
    with connections[using].cursor() as cursor:
        lane = _lane(cursor, job=job, queue=queue_name(first.executor, job.service_class), weight=weight)
        cursor.execute(
            _ADD_ITEMS,
            {
                "job": job.id, "tenant": job.tenant_id, "lane": lane, "step": first.step,
                "choice": first.choice, "ordinals": [item.ordinal for item in items],
                "starts": [item.start_ms for item in items],
                "ends": [item.end_ms for item in items], "costs": [item.cost_ms for item in items],
            },
        )  # fmt: skip


def enqueue_leased(
    job: NewJob | JobRow, item: NewItem, *, weight: int = 100, only_if_idle: bool, using: str = DEFAULT_DB_ALIAS
) -> Lease | None:
    """Add an item already leased to this process, which must run it after its transaction has committed.

    With `only_if_idle` (the inline lane): None, and nothing added, when the lane has work waiting or is near its caps.
    """
    queue = queue_name(item.executor, job.service_class)
    with connections[using].cursor() as cursor:
        lane = _lane(cursor, job=job, queue=queue, weight=weight)
        if only_if_idle and not _is_idle(cursor, lane):
            return None
        cursor.execute(_ADD_LEASED, _leased_values(job, item, lane))
        item_id, token = cursor.fetchone()
    return Lease(
        item_id=item_id, token=token, job_id=job.id, tenant_id=job.tenant_id, kind=job.kind, lane_id=lane,
        queue=queue, step=item.step, ordinal=item.ordinal, start_ms=item.start_ms, end_ms=item.end_ms,
        cost_ms=item.cost_ms, attempt=1, choice=item.choice, inline=only_if_idle,
    )  # fmt: skip


def activate(lane_ids: Sequence[int], *, using: str) -> None:
    """See that lanes are active after items in them were put back to `queued`, in the same transaction."""
    with connections[using].cursor() as cursor:
        cursor.execute(_LOCK_LANES, [LANE_LOCK, list(lane_ids)])
        cursor.execute(_ACTIVATE_MANY, [list(lane_ids)])


def _leased_values(job: NewJob | JobRow, item: NewItem, lane: int) -> dict[str, Any]:
    return {
        "job": job.id, "tenant": job.tenant_id, "lane": lane, "step": item.step, "choice": item.choice,
        "ordinal": item.ordinal,
        "start": item.start_ms, "end": item.end_ms, "cost": item.cost_ms, "lease": settings.LEASE_S,
    }  # fmt: skip


def _is_idle(cursor: Any, lane: int) -> bool:
    cursor.execute(_LANE_IS_IDLE, [lane])
    return bool(cursor.fetchone()[0])


def _lane(cursor: Any, *, job: NewJob | JobRow, queue: str, weight: int) -> int:
    """The lane's id, its advisory lock held shared until the transaction ends."""
    key = [queue, job.tenant_id, job.livemode]
    cursor.execute(_FIND_LANE, [LANE_LOCK, *key])
    row = cursor.fetchone()
    if row is None:
        # Test keys take the lowest weight: they never slow paid work.
        cursor.execute(_ADD_LANE, [*key, weight if job.livemode else 1])
        cursor.execute(_FIND_LANE, [LANE_LOCK, *key])
        row = cursor.fetchone()
    return int(row[0])

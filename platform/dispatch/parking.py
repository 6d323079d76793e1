"""Setting an item aside until something else has happened, without a worker and without using up an attempt.

A parked item comes back by itself after a while, so that whoever should have woken it may be lost with a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

from dispatch.contracts import Lease, LeaseLost
from dispatch.queue import activate

_PARK = """UPDATE work_item SET state = 'waiting', lease_token = NULL, lease_until = NULL, attempt = attempt - 1,
 not_before = now() + %s * interval '1 second' WHERE id = %s AND lease_token = %s AND state = 'leased'"""
_UNPARK = """UPDATE work_item w SET state = 'queued', not_before = NULL,
 turn = (SELECT turn FROM lane WHERE id = w.lane_id)
 WHERE job_id = ANY(%s) AND step = %s AND state = 'waiting' RETURNING lane_id"""


def park(lease: Lease, *, at_most_s: float) -> None:
    """Give the item back to wait; raises `LeaseLost` when it is not ours any more. In the caller's transaction."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(_PARK, [at_most_s, lease.item_id, lease.token])
        if cursor.rowcount != 1:
            raise LeaseLost


def unpark(job_ids: Sequence[UUID], *, step: str) -> None:
    """Queue the parked items of these jobs, in the caller's transaction; jobs without one are passed over."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(_UNPARK, [list(job_ids), step])
        lanes = [row[0] for row in cursor.fetchall()]
    if lanes:
        activate(sorted(set(lanes)), using=DEFAULT_DB_ALIAS)

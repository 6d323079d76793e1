"""The claiming side: the lane with the lowest virtual time, its tenant's oldest turn, one lease.

All as the `system` role, whose commits are asynchronous: a claim lost in a database crash is only claimed again, while
its first holder's writes are refused by the token.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction

from dispatch.contracts import BATCH, INTERACTIVE, Lease, queue_name
from dispatch.queue import LANE_LOCK

SYSTEM = "system"
# Lanes start at V of a moment ago when their accept was slow to commit. The floor hides those below the short lag, and
# a deeper look once a second finds them; the shorter the lag, the fewer dead entries every claim walks over.
FLOOR_LAG_S = 0.05
DEEP_LAG_S = 1.0
DEEP_EVERY_S = 1.0
NO_FLOOR = -1

# The floor skips what the index still holds of lanes already moved on: under a long snapshot nothing of it can be
# cleaned, and every claim would walk over all claims before it.
_CLAIM = """WITH clock AS MATERIALIZED (
  SELECT coalesce((SELECT virtual_time FROM queue_clock WHERE queue = %(queue)s
    ORDER BY virtual_time DESC LIMIT 1), 0) AS v),
chosen AS MATERIALIZED (
  SELECT l.id, l.virtual_time FROM lane l
  WHERE l.queue = %(queue)s AND l.active AND l.virtual_time >= %(floor)s AND l.id <> ALL(%(passed)s) AND (
    SELECT count(*) FROM work_item r WHERE r.lane_id = l.id AND r.state = 'leased' AND r.lease_until > now()
  ) < least(coalesce(l.max_running, 1000000), CASE WHEN (
    SELECT o.id FROM lane o WHERE o.queue = %(queue)s AND o.active AND o.id <> l.id
    ORDER BY o.virtual_time DESC LIMIT 1
  ) IS NOT NULL THEN %(half)s ELSE 1000000 END)
  ORDER BY l.virtual_time LIMIT 1 FOR UPDATE OF l),
oldest AS MATERIALIZED (
  SELECT w.id, w.turn FROM chosen, LATERAL (SELECT id, turn FROM work_item w
    WHERE w.lane_id = chosen.id AND w.state = 'queued' ORDER BY w.turn, w.id LIMIT 1) w),
leased AS (
  UPDATE work_item w SET state = 'leased', attempt = w.attempt + 1, lease_token = gen_random_uuid(),
    lease_until = now() + %(lease)s * interval '1 second'
  FROM oldest WHERE w.id = oldest.id AND w.state = 'queued'
  RETURNING w.id, w.lease_token, w.job_id, w.tenant_id, w.step, w.ordinal, w.start_ms, w.end_ms, w.cost_ms, w.attempt,
    w.choice, w.call),
moved AS (
  UPDATE lane SET virtual_time = lane.virtual_time + leased.cost_ms * 100 / lane.weight,
    turn = greatest(lane.turn, oldest.turn)
  FROM chosen, leased, oldest WHERE lane.id = chosen.id),
ticked AS (
  INSERT INTO queue_clock (queue, virtual_time) SELECT %(queue)s, chosen.virtual_time FROM chosen, leased, clock
  WHERE chosen.virtual_time > clock.v ON CONFLICT DO NOTHING)
SELECT EXISTS (SELECT FROM oldest), chosen.id, chosen.virtual_time, leased.*,
  (SELECT kind FROM job WHERE id = leased.job_id)
FROM chosen LEFT JOIN leased ON true"""
_CLAIM_UNLOCKED = _CLAIM.replace("FOR UPDATE OF l)", "FOR UPDATE OF l SKIP LOCKED)")

_TAKEN = """WITH leased AS MATERIALIZED (SELECT lane_id FROM work_item
  WHERE state = 'leased' AND lease_token IS NOT NULL AND lease_until > now())
SELECT count(*) FROM leased JOIN lane l ON l.id = leased.lane_id WHERE l.queue = ANY(%s)"""

_DEACTIVATE = """UPDATE lane SET active = false WHERE id = %s AND active
 AND NOT EXISTS (SELECT 1 FROM work_item WHERE lane_id = lane.id AND state = 'queued')"""

_EXTEND = """UPDATE work_item SET lease_until = now() + %s * interval '1 second'
 WHERE lease_token = ANY(%s) AND id = ANY(%s) AND state = 'leased' RETURNING lease_token"""

_TRUE_UP = """UPDATE lane SET virtual_time = greatest(virtual_time + (%(delta)s) * 100 / weight, coalesce((
   SELECT c.virtual_time FROM queue_clock c WHERE c.queue = lane.queue ORDER BY c.virtual_time DESC LIMIT 1), 0))
 WHERE id = %(lane)s"""


@dataclass(slots=True)
class Floor:
    """The virtual time that this process saw claimed a moment ago: hardly an active lane stands below it."""

    _seen: deque[tuple[float, int]] = field(default_factory=deque)
    _near: int = NO_FLOOR
    _deep: int = NO_FLOOR
    _looked_deep_at: float = 0.0

    def note(self, virtual_time: int) -> None:
        self._seen.append((time.monotonic(), virtual_time))

    def value(self) -> int:
        """The highest virtual time claimed longer ago than the short lag; once a second, than the long one."""
        now = time.monotonic()
        while self._seen and self._seen[0][0] < now - DEEP_LAG_S:
            self._deep = max(self._deep, self._seen.popleft()[1])
        if now - self._looked_deep_at > DEEP_EVERY_S:
            self._looked_deep_at = now
            return self._deep
        newest = next((seen for at, seen in reversed(self._seen) if at < now - FLOOR_LAG_S), NO_FLOOR)
        self._near = max(self._near, self._deep, newest)
        return self._near


_floors: dict[str, Floor] = {}


def claim(queue: str, *, slots: int) -> Lease | None:
    """The next item of the queue in fair order, leased to the caller; None when nothing may run now.

    `slots` is how many items the executor runs in all its processes: one tenant takes at most half while others wait.
    """
    floor = _floors.setdefault(queue, Floor())
    # Past locked lanes first; only when nothing else is left is it worth waiting for one.
    return _search(queue, slots=slots, floor=floor, bound=floor.value(), sql=_CLAIM_UNLOCKED) or _search(
        queue, slots=slots, floor=floor, bound=NO_FLOOR, sql=_CLAIM
    )


def taken(executor: str) -> int:
    """How many of an executor's items are leased, to workers and to processes that answer requests."""
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_TAKEN, [[queue_name(executor, each) for each in (INTERACTIVE, BATCH)]])
        return int(cursor.fetchone()[0])


def _search(queue: str, *, slots: int, floor: Floor, bound: int, sql: str) -> Lease | None:
    """Claim, cleaning empty lanes out of the way; lanes that an accept is just adding to are passed over."""
    values: dict[str, Any] = {
        "queue": queue, "floor": bound, "half": max(1, slots // 2), "lease": settings.LEASE_S, "passed": [],
    }  # fmt: skip
    while True:
        with connections[SYSTEM].cursor() as cursor:
            cursor.execute(sql, values)
            row = cursor.fetchone()
        if row is None:
            return None
        had_item, lane, virtual_time, item = row[0], row[1], row[2], row[3:]
        if item[0] is not None:
            floor.note(virtual_time)
            return _lease(lane, queue, item)
        # Another claimer took the item that our snapshot still showed: the lane is not empty, so look again.
        if not had_item and not _tidy(lane):
            values["passed"].append(lane)


def _lease(lane: int, queue: str, item: Sequence[Any]) -> Lease:
    item_id, token, job_id, tenant_id, step, ordinal, start_ms, end_ms, cost_ms, attempt, choice, call, kind = item
    return Lease(
        item_id=item_id, token=token, job_id=job_id, tenant_id=tenant_id, kind=kind, lane_id=lane, queue=queue,
        step=step, ordinal=ordinal, start_ms=start_ms, end_ms=end_ms, cost_ms=cost_ms, attempt=attempt, choice=choice,
        call=call,
    )  # fmt: skip


def _tidy(lane: int) -> bool:
    """Take an empty lane out of the order; False when an accept is adding to it at this moment."""
    with transaction.atomic(using=SYSTEM), connections[SYSTEM].cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LANE_LOCK, lane])
        if not cursor.fetchone()[0]:
            return False
        # A statement of its own, so that it sees whatever committed before the lock was free.
        cursor.execute(_DEACTIVATE, [lane])
    return True


def extend(leases: Sequence[Lease]) -> None:
    """Heartbeat of many leases at once; those that are gone are marked lost."""
    with connections[SYSTEM].cursor() as cursor:
        tokens, ids = [lease.token for lease in leases], [lease.item_id for lease in leases]
        cursor.execute(_EXTEND, [settings.LEASE_S, tokens, ids])
        alive: set[UUID] = {row[0] for row in cursor.fetchall()}
    for lease in leases:
        if lease.token not in alive:
            lease.lost.set()


def true_up(lease: Lease, *, actual_ms: int) -> None:
    """Charge the lane what the item really took. Apart from the finish, so that no lane is locked through an fsync."""
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_TRUE_UP, {"lane": lease.lane_id, "delta": actual_ms - lease.cost_ms})

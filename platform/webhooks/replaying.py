"""Replays, step by step: each opens some deliveries and moves the cursor in one transaction.

A crash between two steps costs nothing, and one within a step undoes it: no event is opened twice or left out.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from observe.facade import failpoint
from webhooks.fanout import SYSTEM
from webhooks.replay import WANTED, left_out
from webhooks.schedule import ATTEMPTS

BATCH = 100
SCANNED = 2000  # events looked at in one step, so that a filter which fits few cannot make it long
OPENED_PER_S = 100  # of one replay: today's events of the same endpoint must come through between them
WAITING = 500  # open deliveries of the endpoint above which a replay waits for its receiver
MAX_STEPS = 10  # before deliveries get their turn again
TURN_S = 0.25  # how often a process looks for steps

_DUE = """SELECT r.id, r.tenant_id, r.livemode, r.endpoint_id, r.only_missed, r.from_at, r.to_at, r.event_types,
  r.cursor, r.last_position, e.kind, e.enabled AND e.deleted_at IS NULL, e.schedule, e.rate_per_s
FROM webhook_replay r JOIN webhook_endpoint e ON e.id = r.endpoint_id
WHERE r.state = 'running' AND r.due_at <= now() ORDER BY r.due_at LIMIT 1 FOR UPDATE OF r SKIP LOCKED"""

_BACKLOG = """SELECT count(*) FROM (SELECT FROM delivery WHERE endpoint_id = %s AND state IN ('pending', 'leased')
  AND next_attempt_at <= now() LIMIT %s) open"""

# In the order of positions: they never change and none is given twice, so the cursor is exact.
_SCAN = f"""
SELECT ev.position, ev.created_at, ev.id, ev.type, {WANTED}
FROM (SELECT position, created_at, id, type, subject_id FROM outbox_event
  WHERE tenant_id = %(tenant)s AND livemode = %(livemode)s AND position > %(cursor)s AND position <= %(last)s
    AND created_at >= %(from)s AND created_at < %(to)s ORDER BY position LIMIT %(scanned)s) ev
ORDER BY ev.position"""  # noqa: S608

# The ids are made as by fan-out, so that an event which never had a delivery here gets the one it would have had.
_OPEN = """
INSERT INTO delivery
  (created_at, id, tenant_id, livemode, event_id, event_type, endpoint_id, attempts_left, next_attempt_at)
SELECT ev.created_at, (left(ev.id::text, 19) || 'a' || left(pair.hash, 3) || '-' || substr(pair.hash, 4, 12))::uuid,
  %(tenant)s, %(livemode)s, ev.id, ev.type, %(endpoint)s, %(attempts)s, now()
FROM unnest(%(created)s::timestamptz[], %(ids)s::uuid[], %(event_types)s::text[]) AS ev (created_at, id, type)
CROSS JOIN LATERAL (SELECT md5(ev.id::text || %(endpoint)s::text) AS hash) pair
ON CONFLICT (created_at, event_id, endpoint_id) DO UPDATE SET state = 'pending', lost = 0, manual = false,
  attempts_left = excluded.attempts_left, next_attempt_at = excluded.next_attempt_at, finished_at = NULL
WHERE delivery.state <> ALL(%(left_out)s)"""

_RING = "UPDATE webhook_endpoint SET next_due_at = LEAST(next_due_at, now()) WHERE id = %s"

_MOVE = """UPDATE webhook_replay SET cursor = %s, opened = opened + %s, due_at = now() + %s * interval '1 second',
  state = CASE WHEN %s THEN 'completed' ELSE state END, finished_at = CASE WHEN %s THEN now() END
WHERE id = %s"""
_WAIT = "UPDATE webhook_replay SET due_at = now() + interval '1 second' WHERE id = %s"
_CANCEL = "UPDATE webhook_replay SET state = 'canceled', finished_at = now() WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Due:
    """A replay with a step to make, as it was read under its lock."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    endpoint_id: UUID
    only_missed: bool
    from_at: datetime
    to_at: datetime
    event_types: Sequence[str]
    cursor: int
    last_position: int
    kind: str
    open: bool
    schedule: Sequence[int] | None
    rate_per_s: float | None

    @property
    def per_s(self) -> float:
        """Deliveries opened per second; of an endpoint's own rate half, the other half is for today's events."""
        return OPENED_PER_S if self.rate_per_s is None else min(OPENED_PER_S, self.rate_per_s / 2)


class Replayer:
    """Makes steps when they are due, and asks the database for them a few times a second only."""

    def __init__(self) -> None:
        self._next = 0.0

    def turn(self) -> int:
        """Make what steps are due; returns how many deliveries were opened."""
        now = time.monotonic()
        if now < self._next:
            return 0
        self._next = now + TURN_S
        return advance_replays()


def advance_replays() -> int:
    """One step of each replay that is due; returns how many deliveries were opened. Any process may do it."""
    opened = 0
    for _ in range(MAX_STEPS):
        step = _advance_one()
        if step is None:
            break
        opened += step
    return opened


def _advance_one() -> int | None:
    # One replay in a transaction: of two, the second's deliveries would be locked after the first's endpoint, and
    # whoever records results locks them the other way round.
    with transaction.atomic(using=SYSTEM), connections[SYSTEM].cursor() as cursor:
        cursor.execute(_DUE)
        row = cursor.fetchone()
        if row is None:
            return None
        opened = _step(cursor, Due(*row))
    failpoint("replay.committed")
    return opened


def _step(cursor: Any, replay: Due) -> int:
    if not replay.open:
        cursor.execute(_CANCEL, [replay.id])
        return 0
    cursor.execute(_BACKLOG, [replay.endpoint_id, WAITING])
    if cursor.fetchone()[0] >= WAITING:
        cursor.execute(_WAIT, [replay.id])
        return 0
    values = _values(replay)
    cursor.execute(_SCAN, values)
    scanned = cursor.fetchall()
    chosen = [row for row in scanned if row[4]][:BATCH]
    opened = _open(cursor, values, chosen) if chosen else 0
    failpoint("replay.uncommitted")
    done = len(scanned) < SCANNED and len(chosen) < BATCH
    reached = chosen[-1][0] if len(chosen) == BATCH else scanned[-1][0] if scanned else replay.cursor
    cursor.execute(_MOVE, [reached, opened, opened / replay.per_s, done, done, replay.id])
    return opened


def _open(cursor: Any, values: dict[str, Any], chosen: Sequence[Any]) -> int:
    _, created, ids, types, _ = (list(column) for column in zip(*chosen, strict=True))
    cursor.execute(_OPEN, {**values, "created": created, "ids": ids, "event_types": types})
    opened = int(cursor.rowcount)
    cursor.execute(_RING, [values["endpoint"]])
    return opened


def _values(replay: Due) -> dict[str, Any]:
    return {
        "tenant": replay.tenant_id,
        "livemode": replay.livemode,
        "endpoint": replay.endpoint_id,
        "endpoint_kind": replay.kind,
        "types": list(replay.event_types),
        "cursor": replay.cursor,
        "last": replay.last_position,
        "from": replay.from_at,
        "to": replay.to_at,
        "scanned": SCANNED,
        "left_out": left_out(only_missed=replay.only_missed),
        "attempts": len(replay.schedule) if replay.schedule else ATTEMPTS,
    }

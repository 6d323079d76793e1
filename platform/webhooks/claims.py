"""Which deliveries to send now: leases by the database's clock, at most a few in flight per endpoint.

`webhook_endpoint.next_due_at` tells who has something to do, so a claim's cost does not grow with the backlog. Its
rule: whoever opens a delivery or frees a sender sets it to now, and only a claim, which holds the endpoint's row,
moves it to a later time, from what it then sees. A claim waits for nobody (SKIP LOCKED), so nobody can deadlock on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from webhooks.contracts import Claim, DueEndpoint
from webhooks.fanout import SYSTEM
from webhooks.health import reopen
from webhooks.shares import share_out

SLOW_IN_FLIGHT = 1
ENDPOINTS_PER_CLAIM = 100
CANCELED_PER_CLAIM = 1000

# How much an endpoint may send at once after a rest, in seconds of its rate: senders look twice a second.
RATE_BURST_S = 1.0

# The last column but two: what the endpoint's own rate leaves now (GCRA by the database's clock), null without a rate.
_DUE = """
SELECT id, tenant_id, enabled, deleted_at IS NOT NULL,
  CASE WHEN probing THEN 1 WHEN slow THEN %(slow_cap)s ELSE max_in_flight END, revision,
  floor((GREATEST(%(burst_s)s, 1 / rate_per_s) - GREATEST(extract(epoch FROM rate_until - now()), 0)) * rate_per_s
    + 0.000001)::int,
  schedule, NOT enabled AND deleted_at IS NULL AND half_open_at <= now()
FROM webhook_endpoint
WHERE next_due_at <= now() AND slow = %(slow)s AND tenant_id <> ALL(%(full)s::uuid[])
  AND (paused_until IS NULL OR paused_until <= now() OR NOT enabled)
ORDER BY next_due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED"""

_IN_FLIGHT = """
SELECT endpoint_id, count(*) FROM delivery
WHERE state = 'leased' AND next_attempt_at > now() AND endpoint_id = ANY(%s) GROUP BY endpoint_id"""

# A switched-off endpoint gets nothing but what somebody asked for by hand; a deleted one gets nothing.
_CANCEL = """
UPDATE delivery d SET state = 'canceled', next_attempt_at = NULL, attempts_left = 0, finished_at = now(),
  last_error = 'endpoint_disabled', lease_token = NULL, manual = false
FROM (SELECT created_at, id FROM delivery JOIN unnest(%s::uuid[], %s::boolean[]) AS w (endpoint, deleted)
    ON endpoint_id = w.endpoint
  WHERE (state = 'pending' OR (state = 'leased' AND next_attempt_at <= now())) AND (w.deleted OR NOT manual)
  LIMIT %s FOR UPDATE OF delivery SKIP LOCKED) gone
WHERE d.created_at = gone.created_at AND d.id = gone.id"""

_PICK = """
SELECT d.created_at, d.id FROM unnest(%s::uuid[], %s::int[], %s::boolean[]) AS w (endpoint, take, enabled)
CROSS JOIN LATERAL (SELECT created_at, id FROM delivery
  WHERE endpoint_id = w.endpoint AND state IN ('pending', 'leased') AND next_attempt_at <= now()
    AND (w.enabled OR manual)
  ORDER BY next_attempt_at LIMIT w.take FOR UPDATE SKIP LOCKED) d"""

# The attempt is counted and noted before the POST. One that was lost with its sender is made again, not used up.
_LEASE = """
WITH leased AS (
  UPDATE delivery SET attempt = attempt + 1, attempts_left = attempts_left - (state = 'pending')::int,
    lost = lost + (state = 'leased')::int, state = 'leased', lease_token = gen_random_uuid(),
    next_attempt_at = now() + %s * interval '1 second'
  WHERE created_at = ANY(%s) AND id = ANY(%s)
  RETURNING created_at, id, tenant_id, endpoint_id, event_id, attempt, attempts_left, lost, manual, lease_token
), noted AS (
  INSERT INTO delivery_attempt (created_at, delivery_id, number, tenant_id, manual, started_at)
  SELECT created_at, id, attempt, tenant_id, manual, now() FROM leased
) SELECT * FROM leased"""

# Full: due again when a sender comes free (its result says so), when a lease ends, or when its rate gives the next.
_NEXT = """
UPDATE webhook_endpoint e SET
  rate_until = CASE WHEN w.taken = 0 THEN e.rate_until ELSE GREATEST(e.rate_until, now()) + w.taken * w.each END,
  next_due_at = LEAST(CASE WHEN e.deleted_at IS NULL THEN e.half_open_at END, CASE WHEN w.limited = 'rate' THEN
    GREATEST(e.rate_until, now()) + (w.taken + 1) * w.each - GREATEST(w.each, %(burst_s)s * interval '1 second')
  WHEN w.limited = 'flight' THEN (
    SELECT min(next_attempt_at) FROM delivery WHERE endpoint_id = w.endpoint AND state = 'leased'
      AND next_attempt_at > now())
  ELSE (SELECT next_attempt_at FROM delivery WHERE endpoint_id = w.endpoint AND state IN ('pending', 'leased')
    ORDER BY next_attempt_at LIMIT 1) END)
FROM (SELECT n.endpoint, n.taken, n.limited, interval '1 second' / r.rate_per_s AS each
  FROM unnest(%(ids)s::uuid[], %(taken)s::int[], %(limited)s::text[]) AS n (endpoint, taken, limited)
  JOIN webhook_endpoint r ON r.id = n.endpoint) w
WHERE e.id = w.endpoint"""


def claim_due(
    *, free: int, lease_s: float, slow: bool, room_of_tenant: int, running: Mapping[UUID, int]
) -> list[Claim]:
    """Lease up to `free` due deliveries of the quick or the slow lane, as the system, in one transaction.

    `running` counts this process's senders per tenant; a tenant never holds more than `room_of_tenant` of them.
    """
    full = [tenant for tenant, count in running.items() if count >= room_of_tenant]
    with transaction.atomic(using=SYSTEM), connections[SYSTEM].cursor() as cursor:
        due = _lock_due(cursor, slow=slow, full=full)
        if not due:
            return []
        settled = due if _cancel_closed(cursor, due) else [each for each in due if each.enabled]
        shares = share_out(due, free=free, room_of_tenant=room_of_tenant, running=running)
        claims = _lease(cursor, _pick(cursor, due, shares), lease_s=lease_s, due={each.id: each for each in due})
        reopen(cursor, [each.id for each in settled if each.reopens])
        _set_next(cursor, settled, claims)
    return claims


def _lock_due(cursor: Any, *, slow: bool, full: list[UUID]) -> list[DueEndpoint]:
    values = {
        "slow_cap": SLOW_IN_FLIGHT, "slow": slow, "full": full, "limit": ENDPOINTS_PER_CLAIM, "burst_s": RATE_BURST_S,
    }  # fmt: skip
    cursor.execute(_DUE, values)
    rows = cursor.fetchall()
    if not rows:
        return []
    # A statement of its own: its snapshot is younger than the locks, so it sees every lease taken before.
    cursor.execute(_IN_FLIGHT, [[row[0] for row in rows]])
    in_flight = dict(cursor.fetchall())
    return [_due(row, in_flight=in_flight.get(row[0], 0)) for row in rows]


def _due(row: Sequence[Any], *, in_flight: int) -> DueEndpoint:
    key, tenant, enabled, deleted, cap, revision, by_rate, schedule, reopens = row
    room = cap - in_flight
    return DueEndpoint(
        id=key,
        tenant_id=tenant,
        enabled=enabled,
        deleted=deleted,
        free=room if by_rate is None else max(min(room, by_rate), 0),
        revision=revision,
        rated=by_rate is not None and by_rate < room,
        steps_s=tuple(schedule) if schedule else None,
        reopens=reopens is True,
    )


def _cancel_closed(cursor: Any, due: Sequence[DueEndpoint]) -> bool:
    """Cancel what closed endpoints still had; False when more is left, and they must stay due."""
    closed = [endpoint for endpoint in due if not endpoint.enabled]
    if not closed:
        return True
    ids, deleted = [each.id for each in closed], [each.deleted for each in closed]
    cursor.execute(_CANCEL, [ids, deleted, CANCELED_PER_CLAIM])
    return bool(cursor.rowcount < CANCELED_PER_CLAIM)


def _pick(cursor: Any, due: Sequence[DueEndpoint], shares: Mapping[UUID, int]) -> list[tuple[Any, UUID]]:
    chosen = [endpoint for endpoint in due if shares.get(endpoint.id) and not endpoint.deleted]
    if not chosen:
        return []
    ids = [endpoint.id for endpoint in chosen]
    cursor.execute(_PICK, [ids, [shares[each] for each in ids], [endpoint.enabled for endpoint in chosen]])
    picked: list[tuple[Any, UUID]] = cursor.fetchall()
    return picked


def _lease(
    cursor: Any, picked: Sequence[tuple[Any, UUID]], *, lease_s: float, due: Mapping[UUID, DueEndpoint]
) -> list[Claim]:
    if not picked:
        return []
    cursor.execute(_LEASE, [lease_s, list({created for created, _ in picked}), [key for _, key in picked]])
    return [
        Claim(
            created_at=row[0], id=row[1], tenant_id=row[2], endpoint_id=row[3], event_id=row[4], attempt=row[5],
            attempts_left=row[6], lost=row[7], manual=row[8], token=row[9], revision=due[row[3]].revision,
            steps_s=due[row[3]].steps_s,
        )
        for row in cursor.fetchall()
    ]  # fmt: skip


def _set_next(cursor: Any, due: Sequence[DueEndpoint], claims: Sequence[Claim]) -> None:
    if not due:
        return
    taken = Counter(claim.endpoint_id for claim in claims)
    limits = [_limit(endpoint, taken=taken[endpoint.id]) for endpoint in due]
    ids = [endpoint.id for endpoint in due]
    values = {"ids": ids, "taken": [taken[each] for each in ids], "limited": limits, "burst_s": RATE_BURST_S}
    cursor.execute(_NEXT, values)


def _limit(endpoint: DueEndpoint, *, taken: int) -> str:
    if taken < endpoint.free:
        return "none"
    return "rate" if endpoint.rated else "flight"

"""From the outbox to deliveries: positions in the order of commits, one delivery per endpoint that wants the event."""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction

from observe.facade import failpoint
from webhooks.event_types import QUIET, TEST, patterns_for
from webhooks.schedule import ATTEMPTS

SYSTEM = "system"
DISPATCH_LOCK = 7_265_301  # any number, the same in every process

# One at a time over all processes, taken before the next statement's snapshot: whatever that sees without a position
# has committed, and gets a higher position than everything handed out before. So a poller never skips an event.
_LOCK = "SELECT pg_try_advisory_xact_lock(%s)"

_NEW = """
SELECT e.created_at, e.id, e.tenant_id, e.livemode, e.type, e.subject_id, nextval('outbox_position')
FROM (SELECT created_at, id, tenant_id, livemode, type, subject_id FROM outbox_event
  WHERE position IS NULL ORDER BY created_at, id LIMIT %s) e"""

_STAMP = """
UPDATE outbox_event o SET position = n.position
FROM unnest(%(created)s::timestamptz[], %(ids)s::uuid[], %(positions)s::bigint[]) AS n (created_at, id, position)
WHERE o.created_at = ANY(%(created)s::timestamptz[]) AND o.created_at = n.created_at AND o.id = n.id"""

# Three ways to an event: an endpoint's filter, a job that named a URL, a test of this very endpoint.
# A delivery's id is its event's time followed by a hash of the pair: lists are in order, a repeat is the same row.
_DELIVER = """
WITH ev AS MATERIALIZED (SELECT * FROM unnest(%(created)s::timestamptz[], %(ids)s::uuid[], %(tenants)s::uuid[],
    %(livemodes)s::boolean[], %(types)s::text[], %(subjects)s::uuid[])
    AS u (created_at, id, tenant_id, livemode, type, subject_id)),
  wanted AS (
    SELECT ev.*, e.id AS endpoint_id, e.schedule FROM ev
    JOIN webhook_endpoint e ON e.tenant_id = ev.tenant_id AND e.livemode = ev.livemode AND e.kind = 'endpoint'
      AND e.enabled
    WHERE EXISTS (SELECT FROM unnest(%(wanted_types)s::text[], %(wanted_patterns)s::text[]) AS w (type, pattern)
      WHERE w.type = ev.type AND w.pattern = ANY(e.event_types))
    UNION ALL
    SELECT ev.*, e.id, e.schedule FROM ev JOIN job_webhook j ON j.subject_id = ev.subject_id
    JOIN webhook_endpoint e ON e.id = j.endpoint_id AND e.tenant_id = ev.tenant_id AND e.livemode = ev.livemode
      AND e.enabled
    WHERE ev.type <> ALL(%(quiet)s::text[])
    UNION ALL
    SELECT ev.*, e.id, e.schedule FROM ev JOIN webhook_endpoint e ON e.id = ev.subject_id
      AND e.tenant_id = ev.tenant_id AND e.livemode = ev.livemode AND e.enabled
    WHERE ev.type = %(test)s)
INSERT INTO delivery
  (created_at, id, tenant_id, livemode, event_id, event_type, endpoint_id, attempts_left, next_attempt_at)
SELECT wanted.created_at,
  (left(wanted.id::text, 19) || 'a' || left(pair.hash, 3) || '-' || substr(pair.hash, 4, 12))::uuid,
  tenant_id, livemode, wanted.id, type, endpoint_id, COALESCE(cardinality(schedule), %(attempts)s),
  now() + COALESCE(schedule[1], 0) * interval '1 second'
FROM wanted CROSS JOIN LATERAL (SELECT md5(wanted.id::text || endpoint_id::text) AS hash) pair
ON CONFLICT DO NOTHING
RETURNING endpoint_id"""

# In the order of ids, as every writer of several endpoints does: no two of them can wait for each other.
_RING = """
WITH locked AS MATERIALIZED (SELECT id FROM webhook_endpoint WHERE id = ANY(%s) ORDER BY id FOR UPDATE)
UPDATE webhook_endpoint e SET next_due_at = LEAST(e.next_due_at, now()) FROM locked WHERE e.id = locked.id"""


def dispatch_events(limit: int = 500) -> int:
    """Give positions and deliveries to committed events; returns how many events.

    All of it in one transaction, so a crash leaves nothing half done. Returns 0 while another process is at it.
    """
    with transaction.atomic(using=SYSTEM), connections[SYSTEM].cursor() as cursor:
        cursor.execute(_LOCK, [DISPATCH_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_NEW, [limit])
        events = cursor.fetchall()
        if events:
            _fan_out(cursor, events)
            failpoint("fanout.uncommitted")
        return len(events)


def _fan_out(cursor: Any, events: list[tuple[Any, ...]]) -> None:
    columns = (list(column) for column in zip(*events, strict=True))
    created, ids, tenants, livemodes, types, subjects, positions = columns
    wanted = [(event_type, pattern) for event_type in set(types) for pattern in patterns_for(event_type)]
    cursor.execute(_STAMP, {"created": created, "ids": ids, "positions": positions})
    values = {
        "created": created,
        "ids": ids,
        "tenants": tenants,
        "livemodes": livemodes,
        "types": types,
        "subjects": subjects,
        "wanted_types": [event_type for event_type, _ in wanted],
        "wanted_patterns": [pattern for _, pattern in wanted],
        "attempts": ATTEMPTS,
        "test": TEST,
        "quiet": list(QUIET),
    }
    cursor.execute(_DELIVER, values)
    endpoints = {endpoint_id for (endpoint_id,) in cursor.fetchall()}
    if endpoints:
        cursor.execute(_RING, [list(endpoints)])

"""What came of a batch of attempts, written in one transaction and fenced by each lease's token."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from observe.facade import record as record_metric
from observe.instruments import WEBHOOK_SECONDS
from webhooks import health
from webhooks.contracts import Outcome, Verdict
from webhooks.exchanges import sealed
from webhooks.fanout import SYSTEM
from webhooks.schedule import judge
from webhooks.texts import forget_delivered

# A lease that ended was taken by somebody else: then nothing matches and this result counts for nothing.
_SETTLE = """
UPDATE delivery d SET state = r.state, last_status = r.status, last_error = r.error, lease_token = NULL, lost = 0,
  manual = false, attempts_left = CASE WHEN r.state = 'pending' THEN d.attempts_left ELSE 0 END,
  next_attempt_at = CASE WHEN r.state = 'pending' THEN now() + r.delay_s * interval '1 second' END,
  finished_at = CASE WHEN r.state <> 'pending' THEN now() END
FROM unnest(%(created)s::timestamptz[], %(ids)s::uuid[], %(tokens)s::uuid[], %(states)s::text[], %(statuses)s::int[],
  %(errors)s::text[], %(delays)s::float8[]) AS r (created_at, id, token, state, status, error, delay_s)
WHERE d.created_at = ANY(%(created)s::timestamptz[]) AND d.created_at = r.created_at AND d.id = r.id
  AND d.lease_token = r.token
RETURNING d.id"""

_ATTEMPTS = """
UPDATE delivery_attempt a SET finished_at = now(), status = r.status, error = r.error, latency_ms = r.latency_ms,
  response = r.response
FROM unnest(%(created)s::timestamptz[], %(ids)s::uuid[], %(numbers)s::int[], %(statuses)s::int[], %(errors)s::text[],
  %(latencies)s::int[], %(responses)s::bytea[])
  AS r (created_at, id, number, status, error, latency_ms, response)
WHERE a.created_at = ANY(%(created)s::timestamptz[]) AND a.created_at = r.created_at AND a.delivery_id = r.id
  AND a.number = r.number"""

# The oldest success's place: a ring needs no sweep, and a busy endpoint's log stays as small as a quiet one's.
_KEEP = """
INSERT INTO kept_answer (endpoint_id, slot, tenant_id, delivery_id, number, kept_at, response)
SELECT endpoint_id, slot, tenant_id, delivery_id, number, now(), response
FROM unnest(%s::uuid[], %s::int[], %s::uuid[], %s::uuid[], %s::int[], %s::bytea[])
  AS k (endpoint_id, slot, tenant_id, delivery_id, number, response)
ON CONFLICT (endpoint_id, slot) DO UPDATE SET delivery_id = excluded.delivery_id, number = excluded.number,
  kept_at = excluded.kept_at, response = excluded.response"""

KEPT_SUCCESSES = 100  # of each endpoint

Kept = tuple[Outcome, Verdict, bytes | None]


def record(outcomes: Sequence[Outcome]) -> int:
    """Store results, plan the next attempts and the endpoints' health; returns how many still held their lease.

    Safe to repeat after a broken commit: a result that was stored has no lease any more.
    """
    judged = [(outcome, _judge(outcome)) for outcome in outcomes]
    exchanges = [sealed(outcome) for outcome, _ in judged]
    with transaction.atomic(using=SYSTEM), connections[SYSTEM].cursor() as cursor:
        held = _settle(cursor, judged)
        kept = [
            (outcome, verdict, exchange)
            for (outcome, verdict), exchange in zip(judged, exchanges, strict=True)
            if outcome.claim.id in held
        ]
        if kept:
            _note_attempts(cursor, kept)
            successes = health.note(cursor, [(outcome, verdict) for outcome, verdict, _ in kept])
            _keep_successes(cursor, kept, successes=successes)
            forget_delivered(cursor, [outcome.claim for outcome, verdict, _ in kept if verdict.state == "delivered"])
    for outcome, verdict, _ in kept:
        record_metric(WEBHOOK_SECONDS, (outcome.answer.latency_ms or 0) / 1000, verdict.state)
    return len(kept)


def _judge(outcome: Outcome) -> Verdict:
    return judge(
        outcome.answer,
        attempts_left=outcome.claim.attempts_left,
        now=datetime.now(UTC),
        jitter=random.random(),  # noqa: S311  # spreads load, guards nothing
        steps_s=outcome.claim.steps_s,
    )


def _settle(cursor: Any, judged: Iterable[tuple[Outcome, Verdict]]) -> set[UUID]:
    rows = list(judged)
    values = {
        "created": [outcome.claim.created_at for outcome, _ in rows],
        "ids": [outcome.claim.id for outcome, _ in rows],
        "tokens": [outcome.claim.token for outcome, _ in rows],
        "states": [verdict.state for _, verdict in rows],
        "statuses": [outcome.answer.status for outcome, _ in rows],
        "errors": [verdict.error for _, verdict in rows],
        "delays": [verdict.delay_s for _, verdict in rows],
    }
    cursor.execute(_SETTLE, values)
    return {row[0] for row in cursor.fetchall()}


def _note_attempts(cursor: Any, kept: Sequence[Kept]) -> None:
    values = {
        "created": [outcome.claim.created_at for outcome, _, _ in kept],
        "ids": [outcome.claim.id for outcome, _, _ in kept],
        "numbers": [outcome.claim.attempt for outcome, _, _ in kept],
        "statuses": [outcome.answer.status for outcome, _, _ in kept],
        "errors": [verdict.error for _, verdict, _ in kept],
        "latencies": [outcome.answer.latency_ms for outcome, _, _ in kept],
        "responses": [None if verdict.state == "delivered" else exchange for _, verdict, exchange in kept],
    }
    cursor.execute(_ATTEMPTS, values)


def _keep_successes(cursor: Any, kept: Sequence[Kept], *, successes: Mapping[UUID, int]) -> None:
    rows: dict[tuple[UUID, int], Sequence[Any]] = {}
    counted = dict(successes)
    for outcome, verdict, exchange in reversed(kept):
        if verdict.state != "delivered":
            continue
        claim = outcome.claim
        counted[claim.endpoint_id] -= 1
        place = (claim.endpoint_id, counted[claim.endpoint_id] % KEPT_SUCCESSES)
        if exchange is not None:
            # A batch with more than the ring holds keeps its newest: one statement may write a row once only.
            rows.setdefault(place, (*place, claim.tenant_id, claim.id, claim.attempt, exchange))
    if rows:
        cursor.execute(_KEEP, [list(column) for column in zip(*(rows[key] for key in sorted(rows)), strict=True)])

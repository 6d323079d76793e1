"""What came of a batch of attempts, written in one transaction and fenced by each lease's token."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import connections, transaction

from events.facade import publish, record_audit
from tenants.facade import Place, VaultError, seal, tenant_context, tenant_ref
from webhooks.contracts import Outcome, Verdict
from webhooks.fanout import SYSTEM
from webhooks.schedule import SLOW_MS, judge
from webhooks.shown import endpoint_event

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

_LOCK_ENDPOINTS = "SELECT id, enabled FROM webhook_endpoint WHERE id = ANY(%s) ORDER BY id FOR UPDATE"

_HEALTH = """
UPDATE webhook_endpoint e SET next_due_at = now(), slow = COALESCE(h.slow, e.slow),
  paused_until = GREATEST(e.paused_until, now() + h.pause_s * interval '1 second'),
  consecutive_failures = CASE WHEN h.succeeded THEN 0 ELSE e.consecutive_failures + h.failures END,
  failing_since = CASE WHEN h.succeeded THEN NULL WHEN h.failures > 0 THEN COALESCE(e.failing_since, now())
    ELSE e.failing_since END,
  last_success_at = CASE WHEN h.succeeded THEN now() ELSE e.last_success_at END
FROM unnest(%s::uuid[], %s::boolean[], %s::float8[], %s::boolean[], %s::int[])
  AS h (id, slow, pause_s, succeeded, failures)
WHERE e.id = h.id"""

_DISABLE = """
UPDATE webhook_endpoint SET enabled = false, disabled_reason = 'gone', event_sequence = event_sequence + 1
WHERE id = %s RETURNING id, tenant_id, livemode, event_types, created_at, event_sequence"""


@dataclass(slots=True)
class _Health:
    """What a batch tells of one endpoint. Resends by hand say nothing of its health."""

    slow: bool | None = None
    pause_s: float | None = None
    succeeded: bool = False
    failures: int = 0
    gone: bool = False

    def learn(self, outcome: Outcome, verdict: Verdict) -> None:
        self.slow = outcome.answer.latency_ms > SLOW_MS
        self.pause_s = max(self.pause_s or 0.0, verdict.pause_s or 0.0) or None
        self.gone = self.gone or verdict.endpoint_gone
        if not outcome.claim.manual:
            self.succeeded = self.succeeded or verdict.state == "delivered"
            self.failures += verdict.state != "delivered"


def record(outcomes: Sequence[Outcome]) -> int:
    """Store results, plan the next attempts and the endpoints' health; returns how many still held their lease.

    Safe to repeat after a broken commit: a result that was stored has no lease any more.
    """
    judged = [(outcome, _judge(outcome)) for outcome in outcomes]
    responses = [_sealed(outcome, verdict) for outcome, verdict in judged]
    with transaction.atomic(using=SYSTEM), connections[SYSTEM].cursor() as cursor:
        held = _settle(cursor, judged)
        kept = [
            (outcome, verdict, response)
            for (outcome, verdict), response in zip(judged, responses, strict=True)
            if outcome.claim.id in held
        ]
        if kept:
            _note_attempts(cursor, kept)
            _note_health(cursor, kept)
    return len(kept)


def _judge(outcome: Outcome) -> Verdict:
    return judge(
        outcome.answer,
        attempts_left=outcome.claim.attempts_left,
        now=datetime.now(UTC),
        jitter=random.random(),  # noqa: S311  # spreads load, guards nothing
    )


def _sealed(outcome: Outcome, verdict: Verdict) -> bytes | None:
    """The excerpt of a failure's answer under the tenant's key: a receiver may echo content."""
    claim = outcome.claim
    if verdict.state == "delivered" or not outcome.answer.body:
        return None
    try:
        with tenant_context(tenant_ref(claim.tenant_id)):
            return seal(outcome.answer.body, place=response_place(claim.tenant_id, claim.id, claim.attempt))
    except (VaultError, ObjectDoesNotExist):
        return None  # the tenant was erased meanwhile


def response_place(tenant_id: UUID, delivery_id: UUID, number: int) -> Place:
    """Where an excerpt is sealed."""
    return Place(tenant_id, "delivery_attempt", "response", f"{delivery_id}/{number}")


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


def _note_attempts(cursor: Any, kept: Sequence[tuple[Outcome, Verdict, bytes | None]]) -> None:
    values = {
        "created": [outcome.claim.created_at for outcome, _, _ in kept],
        "ids": [outcome.claim.id for outcome, _, _ in kept],
        "numbers": [outcome.claim.attempt for outcome, _, _ in kept],
        "statuses": [outcome.answer.status for outcome, _, _ in kept],
        "errors": [verdict.error for _, verdict, _ in kept],
        "latencies": [outcome.answer.latency_ms for outcome, _, _ in kept],
        "responses": [response for _, _, response in kept],
    }
    cursor.execute(_ATTEMPTS, values)


def _note_health(cursor: Any, kept: Sequence[tuple[Outcome, Verdict, bytes | None]]) -> None:
    by_endpoint: dict[UUID, _Health] = {}
    for outcome, verdict, _ in kept:
        by_endpoint.setdefault(outcome.claim.endpoint_id, _Health()).learn(outcome, verdict)
    cursor.execute(_LOCK_ENDPOINTS, [list(by_endpoint)])
    enabled = dict(cursor.fetchall())
    health = [(key, h.slow, h.pause_s, h.succeeded, h.failures) for key, h in by_endpoint.items()]
    cursor.execute(_HEALTH, [list(column) for column in zip(*health, strict=True)])
    for endpoint_id, seen in by_endpoint.items():
        if seen.gone and enabled.get(endpoint_id):
            _disable(cursor, endpoint_id)


def _disable(cursor: Any, endpoint_id: UUID) -> None:
    """410: the receiver says for good that it is not there. The next claim cancels what it still had."""
    cursor.execute(_DISABLE, [endpoint_id])
    key, tenant_id, livemode, event_types, created_at, sequence = cursor.fetchone()
    data = endpoint_event(
        key, livemode=livemode, event_types=event_types, enabled=False, disabled_reason="gone", created_at=created_at
    )
    publish(
        "webhook_endpoint.disabled", tenant_id=tenant_id, livemode=livemode, subject_id=key, sequence=sequence,
        data=data, using=SYSTEM,
    )  # fmt: skip
    record_audit(
        "webhook_endpoint.disabled", actor="system", subject=str(key), tenant_id=tenant_id,
        after={"reason": "gone"}, using=SYSTEM,
    )  # fmt: skip

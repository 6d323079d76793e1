"""What results say of endpoints: the alert ladder, switching off, trying again, and telling of it.

Everything here happens in the transaction that records the results, under the endpoints' locks, so that a change and
the event that tells of it cannot part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from events.facade import publish, record_audit
from webhooks import mail
from webhooks.contracts import Outcome, Verdict
from webhooks.fanout import SYSTEM
from webhooks.health_rules import FAILING, GONE, PROBE_PAUSES_S, cooldown_s, next_step, rungs_reached
from webhooks.schedule import SLOW_MS
from webhooks.shown import endpoint_event

# In the order of ids, as every writer of several endpoints does.
_LOCK = """SELECT id, tenant_id, livemode, event_types, created_at, enabled, warned, probing, reopened
FROM webhook_endpoint WHERE id = ANY(%s) ORDER BY id FOR UPDATE"""

_LEARN = """
UPDATE webhook_endpoint e SET next_due_at = now(), slow = COALESCE(h.slow, e.slow),
  paused_until = GREATEST(e.paused_until, now() + h.pause_s * interval '1 second',
    CASE WHEN e.probing AND NOT h.succeeded AND h.failures > 0 THEN now() + interval '1 second' *
      (%(pauses)s::int[])[LEAST(e.consecutive_failures + h.failures, cardinality(%(pauses)s::int[]))] END),
  consecutive_failures = CASE WHEN h.succeeded THEN 0 ELSE e.consecutive_failures + h.failures END,
  failing_since = CASE WHEN h.succeeded THEN NULL WHEN h.failures > 0 THEN COALESCE(e.failing_since, now())
    ELSE e.failing_since END,
  last_success_at = CASE WHEN h.succeeded THEN now() ELSE e.last_success_at END,
  successes = e.successes + h.successes,
  warned = CASE WHEN h.succeeded THEN 0 ELSE e.warned END, probing = e.probing AND NOT h.succeeded,
  reopened = CASE WHEN h.succeeded THEN 0 ELSE e.reopened END
FROM unnest(%(ids)s::uuid[], %(slow)s::boolean[], %(pause)s::float8[], %(succeeded)s::boolean[], %(failures)s::int[],
  %(successes)s::int[]) AS h (id, slow, pause_s, succeeded, failures, successes)
WHERE e.id = h.id
RETURNING e.id, e.consecutive_failures, COALESCE(extract(epoch FROM now() - e.failing_since), 0)::float8,
  e.failing_since, e.successes"""

_DISABLE = """UPDATE webhook_endpoint SET enabled = false, probing = false, disabled_reason = %s,
  half_open_at = now() + %s * interval '1 second', event_sequence = event_sequence + 1
WHERE id = %s RETURNING event_sequence"""
_NEXT_EVENT = """UPDATE webhook_endpoint SET warned = %s, event_sequence = event_sequence + 1
WHERE id = %s RETURNING event_sequence"""

_REOPEN = """UPDATE webhook_endpoint SET enabled = true, probing = true, disabled_reason = '', half_open_at = NULL,
  reopened = reopened + 1, paused_until = NULL
WHERE id = ANY(%s) RETURNING id, tenant_id, reopened"""


@dataclass(slots=True)
class Health:
    """What a batch tells of one endpoint. Resends by hand say nothing of its health."""

    slow: bool | None = None
    pause_s: float | None = None
    succeeded: bool = False
    failures: int = 0
    successes: int = 0  # resends too: their answers are kept like any others
    gone: bool = False

    def learn(self, outcome: Outcome, verdict: Verdict) -> None:
        self.slow = outcome.answer.latency_ms > SLOW_MS
        self.pause_s = max(self.pause_s or 0.0, verdict.pause_s or 0.0) or None
        self.gone = self.gone or verdict.endpoint_gone
        delivered = verdict.state == "delivered"
        self.successes += delivered
        if not outcome.claim.manual:
            self.succeeded = self.succeeded or delivered
            self.failures += not delivered


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as it was before the batch."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    event_types: Sequence[str]
    created_at: datetime
    enabled: bool
    warned: int
    probing: bool
    reopened: int


def note(cursor: Any, kept: Iterable[tuple[Outcome, Verdict]]) -> dict[UUID, int]:
    """Write the health of every endpoint of the batch, and tell of its changes.

    Returns how many successes each endpoint has had, this batch included.
    """
    learned: dict[UUID, Health] = {}
    for outcome, verdict in kept:
        learned.setdefault(outcome.claim.endpoint_id, Health()).learn(outcome, verdict)
    cursor.execute(_LOCK, [list(learned)])
    endpoints = {row[0]: Endpoint(*row) for row in cursor.fetchall()}
    cursor.execute(_LEARN, _columns(learned))
    rows = cursor.fetchall()
    for key, failures, failing_s, since, _ in rows:
        _follow(cursor, endpoints[key], learned[key], failures=failures, failing_s=failing_s, since=since)
    return {key: successes for key, _, _, _, successes in rows}


def reopen(cursor: Any, endpoint_ids: Sequence[UUID]) -> None:
    """Half-open endpoints that their failures had switched off: one delivery goes, the rest follows its success."""
    if not endpoint_ids:
        return
    cursor.execute(_REOPEN, [list(endpoint_ids)])
    for key, tenant_id, times in cursor.fetchall():
        _audit("webhook_endpoint.half_opened", key, tenant_id=tenant_id, after={"times": times})


def _columns(learned: Mapping[UUID, Health]) -> dict[str, Any]:
    seen = list(learned.values())
    return {
        "ids": list(learned),
        "slow": [each.slow for each in seen],
        "pause": [each.pause_s for each in seen],
        "succeeded": [each.succeeded for each in seen],
        "failures": [each.failures for each in seen],
        "successes": [each.successes for each in seen],
        "pauses": list(PROBE_PAUSES_S),
    }


def _follow(
    cursor: Any, endpoint: Endpoint, seen: Health, *, failures: int, failing_s: float, since: datetime | None
) -> None:
    """The rare cases; nearly every call does nothing."""
    if not endpoint.enabled:
        return
    if seen.gone:
        # 410: the receiver says for good that it is not there. The next claim cancels what it still had.
        _disable(cursor, endpoint, reason=GONE, since=since)
    elif seen.succeeded and (endpoint.probing or endpoint.warned):
        _tell(cursor, endpoint, "webhook_endpoint.recovered", warned=0, since=None)
    elif seen.failures and not seen.succeeded:
        step = next_step(failing_s=failing_s, failures=failures, warned=endpoint.warned)
        if step == "disable":
            _disable(cursor, endpoint, reason=FAILING, since=since)
        elif step == "warn":
            _tell(cursor, endpoint, "webhook_endpoint.failing", warned=rungs_reached(failing_s), since=since)


def _disable(cursor: Any, endpoint: Endpoint, *, reason: str, since: datetime | None) -> None:
    pause_s = cooldown_s(endpoint.reopened) if reason == FAILING else None
    cursor.execute(_DISABLE, [reason, pause_s, endpoint.id])
    [sequence] = cursor.fetchone()
    _audit("webhook_endpoint.disabled", endpoint.id, tenant_id=endpoint.tenant_id, after={"reason": reason})
    if endpoint.reopened and reason == FAILING:
        return  # a try that failed again: it was told when the endpoint was first switched off
    _publish(endpoint, "webhook_endpoint.disabled", sequence=sequence, reason=reason)
    _write(endpoint, "webhook_endpoint.disabled", since=since, reason=reason)


def _tell(cursor: Any, endpoint: Endpoint, event_type: str, *, warned: int, since: datetime | None) -> None:
    cursor.execute(_NEXT_EVENT, [warned, endpoint.id])
    [sequence] = cursor.fetchone()
    _publish(endpoint, event_type, sequence=sequence)
    _audit(event_type, endpoint.id, tenant_id=endpoint.tenant_id, after={"rung": warned} if warned else None)
    _write(endpoint, event_type, since=since)


def _publish(endpoint: Endpoint, event_type: str, *, sequence: int, reason: str = "") -> None:
    data = endpoint_event(
        endpoint.id, livemode=endpoint.livemode, event_types=endpoint.event_types, enabled=not reason,
        disabled_reason=reason, created_at=endpoint.created_at,
    )  # fmt: skip
    publish(
        event_type, tenant_id=endpoint.tenant_id, livemode=endpoint.livemode, subject_id=endpoint.id,
        sequence=sequence, data=data, using=SYSTEM,
    )  # fmt: skip


def _write(endpoint: Endpoint, template: str, *, since: datetime | None, reason: str = "") -> None:
    mail.write(
        template,
        tenant_id=endpoint.tenant_id,
        details={
            "endpoint_id": str(endpoint.id),
            "livemode": endpoint.livemode,
            "since": since.isoformat() if since else None,
            "reason": reason,
        },
    )


def _audit(action: str, endpoint_id: UUID, *, tenant_id: UUID, after: Mapping[str, Any] | None = None) -> None:
    record_audit(action, actor="system", subject=str(endpoint_id), tenant_id=tenant_id, after=after, using=SYSTEM)

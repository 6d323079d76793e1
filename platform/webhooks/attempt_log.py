"""The attempts of one delivery as its tenant may read them, with what was kept of each exchange."""

from __future__ import annotations

from webhooks.contracts import AttemptView
from webhooks.exchanges import Exchange, opened
from webhooks.models import Delivery, DeliveryAttempt, KeptAnswer


def attempts_of(row: Delivery) -> tuple[AttemptView, ...]:
    """All attempts, oldest first; to be called in the tenant's context.

    Failures keep their exchange with the attempt; of successes the endpoint's last ones are kept in a ring.
    """
    ring = KeptAnswer.objects.filter(endpoint_id=row.endpoint_id, delivery_id=row.id)
    kept = {answer.number: bytes(answer.response) for answer in ring}
    attempts = DeliveryAttempt.objects.filter(created_at=row.created_at, delivery_id=row.id).order_by("number")
    return tuple(_view(attempt, kept.get(attempt.number)) for attempt in attempts)


def _view(row: DeliveryAttempt, kept: bytes | None) -> AttemptView:
    stored = bytes(row.response) if row.response is not None else kept
    exchange = opened(stored, tenant_id=row.tenant_id, delivery_id=row.delivery_id, number=row.number)
    return AttemptView(
        number=row.number,
        manual=row.manual,
        started_at=row.started_at,
        finished_at=row.finished_at,
        status=row.status,
        error=row.error,
        latency_ms=row.latency_ms,
        response=_answer(row, exchange),
        request_headers=exchange.sent if exchange else None,
        response_headers=exchange.received if exchange and row.status is not None else None,
    )


def _answer(row: DeliveryAttempt, exchange: Exchange | None) -> str | None:
    return exchange.body if exchange and row.status is not None else None

"""Reads of one tenant and mode. Every function takes the caller, so the scope cannot be forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from tenants.facade import Caller, tenant_context
from webhooks.attempt_log import attempts_of
from webhooks.contracts import AttemptView, DeliveryView, EndpointView, EventView, Kind, Tuning
from webhooks.endpoints.models import WebhookTarget
from webhooks.health_rules import standing
from webhooks.models import Delivery, WebhookEndpoint
from webhooks.targets import current_headers, current_secret

_EVENT = """SELECT id, livemode, type, created_at, sequence, position, body FROM outbox_event
 WHERE tenant_id = %s AND livemode = %s"""


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """What a list of deliveries is narrowed to."""

    endpoint_id: UUID | None = None
    event_id: UUID | None = None
    states: Sequence[str] = ()


def own_endpoints(caller: Caller) -> QuerySet[WebhookEndpoint]:
    """The caller's endpoints that are not deleted; to be evaluated in the tenant's context."""
    return WebhookEndpoint.objects.filter(tenant_id=caller.tenant_id, livemode=caller.livemode, deleted_at__isnull=True)


def list_endpoints(caller: Caller, *, limit: int, before: UUID | None, kind: Kind = "endpoint") -> list[EndpointView]:
    """Up to `limit + 1` endpoints, or URLs that jobs named, newest first, without secrets."""
    with tenant_context(caller.tenant):
        rows = own_endpoints(caller).filter(kind=kind).order_by("-id")
        page = list((rows.filter(id__lt=before) if before else rows)[: limit + 1])
        targets = WebhookTarget.objects.in_bulk([row.id for row in page])
        return [
            endpoint_view(row, targets[row.id], headers=current_headers(targets[row.id], tenant_id=caller.tenant_id))
            for row in page
            if row.id in targets
        ]


def find_endpoint(caller: Caller, endpoint_id: UUID) -> EndpointView | None:
    """One endpoint with its secret, or None."""
    with tenant_context(caller.tenant):
        row = own_endpoints(caller).filter(pk=endpoint_id).first()
        target = WebhookTarget.objects.filter(pk=endpoint_id).first() if row else None
        if row is None or target is None:
            return None
        return endpoint_view(
            row, target, secret=current_secret(target, tenant_id=caller.tenant_id),
            headers=current_headers(target, tenant_id=caller.tenant_id),
        )  # fmt: skip


def endpoint_view(
    row: WebhookEndpoint, target: WebhookTarget, *, secret: str | None = None, headers: Mapping[str, str]
) -> EndpointView:
    """Both halves of an endpoint as one value."""
    ends_at = target.previous_expires_at
    tuning = Tuning(
        schedule=tuple(row.schedule) if row.schedule else None,
        rate_per_s=row.rate_per_s,
        max_in_flight=row.max_in_flight,
        signature="v1+v1a" if row.public_key else "v1",
        include_text=row.include_text,
        headers=headers,
    )
    return EndpointView(
        id=row.id,
        livemode=row.livemode,
        url=target.url,
        event_types=tuple(row.event_types),
        enabled=row.enabled,
        disabled_reason=row.disabled_reason,
        description=target.description,
        metadata=target.metadata,
        created_at=row.created_at,
        secret=secret,
        previous_secret_expires_at=ends_at if ends_at and ends_at > datetime.now(UTC) else None,
        kind="job" if row.kind == WebhookEndpoint.Kind.JOB else "endpoint",
        tuning=tuning,
        public_key=row.public_key or None,
        standing=standing(
            enabled=row.enabled, probing=row.probing, failing_since=row.failing_since,
            last_success_at=row.last_success_at, half_open_at=row.half_open_at, paused_until=row.paused_until,
        ),
    )  # fmt: skip


def list_events(caller: Caller, *, limit: int, before: UUID | None) -> list[EventView]:
    """Up to `limit + 1` events, newest position first."""
    older = " AND position < (SELECT position FROM outbox_event WHERE tenant_id = %s AND id = %s)" if before else ""
    values = [caller.tenant_id, before] if before else []
    sql = f"{_EVENT} AND position IS NOT NULL{older} ORDER BY position DESC LIMIT %s"
    return _events(caller, sql, [*values, limit + 1])


def events_after(caller: Caller, *, limit: int, position: int) -> list[EventView]:
    """Up to `limit + 1` events above a position, oldest first: positions are given after commit, so none is skipped."""
    return _events(caller, f"{_EVENT} AND position > %s ORDER BY position LIMIT %s", [position, limit + 1])


def find_event(caller: Caller, event_id: UUID) -> EventView | None:
    """One event, or None."""
    return next(iter(_events(caller, f"{_EVENT} AND id = %s", [event_id])), None)


def list_deliveries(caller: Caller, *, limit: int, before: UUID | None, wanted: DeliveryFilter) -> list[DeliveryView]:
    """Up to `limit + 1` deliveries, newest event first."""
    with tenant_context(caller.tenant):
        rows = _own_deliveries(caller).order_by("-id")
        rows = rows.filter(id__lt=before) if before else rows
        rows = rows.filter(endpoint_id=wanted.endpoint_id) if wanted.endpoint_id else rows
        rows = rows.filter(event_id=wanted.event_id) if wanted.event_id else rows
        rows = rows.filter(state__in=wanted.states) if wanted.states else rows
        return [_delivery_view(row) for row in rows[: limit + 1]]


def find_delivery(caller: Caller, delivery_id: UUID) -> DeliveryView | None:
    """One delivery with its attempts, or None."""
    with tenant_context(caller.tenant):
        row = _own_deliveries(caller).filter(id=delivery_id).first()
        if row is None:
            return None
        return _delivery_view(row, attempts=attempts_of(row))


def _own_deliveries(caller: Caller) -> QuerySet[Delivery]:
    return Delivery.objects.filter(tenant_id=caller.tenant_id, livemode=caller.livemode)


def _events(caller: Caller, sql: str, values: Sequence[Any]) -> list[EventView]:
    with tenant_context(caller.tenant), connection.cursor() as cursor:
        cursor.execute(sql, [caller.tenant_id, caller.livemode, *values])
        return [
            EventView(
                id=row[0], livemode=row[1], type=row[2], created_at=row[3], sequence=row[4], position=row[5],
                body=bytes(row[6]),
            )
            for row in cursor.fetchall()
        ]  # fmt: skip


def _delivery_view(row: Delivery, *, attempts: tuple[AttemptView, ...] | None = None) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        livemode=row.livemode,
        event_id=row.event_id,
        event_type=row.event_type,
        endpoint_id=row.endpoint_id,
        state=row.state,  # type: ignore[arg-type]  # the table's CHECK allows these words only
        attempt=row.attempt,
        next_attempt_at=row.next_attempt_at,
        last_status=row.last_status,
        last_error=row.last_error,
        created_at=row.created_at,
        finished_at=row.finished_at,
        attempts=attempts,
    )

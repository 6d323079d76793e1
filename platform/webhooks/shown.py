"""How endpoints, events and deliveries look in JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from apikit import ids
from webhooks.contracts import AttemptView, DeliveryView, EndpointView, EventView, JobSecretView, Standing
from webhooks.own_headers import masked


def moment(value: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds.

    >>> moment(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    '2026-11-22T12:00:00.000Z'
    """
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def endpoint(view: EndpointView, *, headers_open: bool = False) -> dict[str, Any]:
    """An endpoint; the secret is in it only where the query put it into the view, header values when it is new."""
    tuning = view.tuning
    body = {
        "object": "webhook_endpoint",
        "id": ids.show(ids.WEBHOOK_ENDPOINT, view.id),
        "livemode": view.livemode,
        "kind": view.kind,
        "url": view.url,
        "event_types": list(view.event_types),
        "include": ["text"] if tuning.include_text else [],
        "enabled": view.enabled,
        "disabled_reason": view.disabled_reason or None,
        "description": view.description,
        "metadata": dict(view.metadata),
        "headers": dict(tuning.headers) if headers_open else masked(tuning.headers),
        "schedule": None if tuning.schedule is None else list(tuning.schedule),
        "rate_per_s": tuning.rate_per_s,
        "max_in_flight": tuning.max_in_flight,
        "signature": tuning.signature,
        "public_key": view.public_key,
        "health": standing(view.standing),
        "created_at": moment(view.created_at),
        "previous_secret_expires_at": moment(view.previous_secret_expires_at),
    }
    return body if view.secret is None else body | {"secret": view.secret}


def standing(view: Standing) -> dict[str, Any]:
    """How an endpoint does."""
    return {
        "status": view.status,
        "failing_since": moment(view.failing_since),
        "last_success_at": moment(view.last_success_at),
        "next_try_at": moment(view.next_try_at),
    }


def job_secret(view: JobSecretView) -> dict[str, Any]:
    """The secret of jobs' own URLs."""
    return {
        "object": "webhook_job_secret",
        "livemode": view.livemode,
        "secret": view.secret,
        "previous_secret_expires_at": moment(view.previous_secret_expires_at),
    }


def endpoint_event(
    endpoint_id: UUID,
    *,
    livemode: bool,
    event_types: Sequence[str],
    enabled: bool,
    disabled_reason: str,
    created_at: datetime,
) -> dict[str, Any]:
    """An endpoint inside an event: without its URL, because events are kept in the content-free schema."""
    shown_id = ids.show(ids.WEBHOOK_ENDPOINT, endpoint_id)
    return {
        "object": "webhook_endpoint",
        "id": shown_id,
        "livemode": livemode,
        "event_types": list(event_types),
        "enabled": enabled,
        "disabled_reason": disabled_reason or None,
        "created_at": moment(created_at),
        "api_url": f"{settings.PUBLIC_URL}/v1/webhook-endpoints/{shown_id}",
    }


def event(view: EventView) -> dict[str, Any]:
    """An event with the data that its deliveries carry."""
    return {
        "object": "event",
        "id": ids.show(ids.EVENT, view.id),
        "livemode": view.livemode,
        "type": view.type,
        "created_at": moment(view.created_at),
        "sequence": view.sequence,
        "position": view.position,
        "data": json.loads(view.body)["data"],
    }


def delivery(view: DeliveryView) -> dict[str, Any]:
    """A delivery; with its attempts where the query read them."""
    body: dict[str, Any] = {
        "object": "delivery",
        "id": ids.show(ids.DELIVERY, view.id),
        "livemode": view.livemode,
        "event_id": ids.show(ids.EVENT, view.event_id),
        "event_type": view.event_type,
        "endpoint_id": ids.show(ids.WEBHOOK_ENDPOINT, view.endpoint_id),
        "state": "sending" if view.state == "leased" else view.state,
        "attempt_count": view.attempt,
        "next_attempt_at": moment(view.next_attempt_at) if view.state == "pending" else None,
        "last_status": view.last_status,
        "last_error": view.last_error,
        "created_at": moment(view.created_at),
        "finished_at": moment(view.finished_at),
    }
    return body if view.attempts is None else body | {"attempts": [attempt(each) for each in view.attempts]}


def attempt(view: AttemptView) -> dict[str, Any]:
    """One attempt with what is kept of its exchange."""
    return {
        "number": view.number,
        "manual": view.manual,
        "started_at": moment(view.started_at),
        "finished_at": moment(view.finished_at),
        "status": view.status,
        "error": view.error,
        "latency_ms": view.latency_ms,
        "response": view.response,
        "request_headers": dict(view.request_headers) if view.request_headers is not None else None,
        "response_headers": dict(view.response_headers) if view.response_headers is not None else None,
    }

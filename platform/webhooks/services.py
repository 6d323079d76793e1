"""Writes of one tenant: endpoints, secrets, tests and resends. Each is one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Least, Now

from apikit.ids import new_id
from events.facade import publish, record_audit
from tenants.facade import Caller, tenant_context
from webhooks import signing
from webhooks.contracts import EndpointView
from webhooks.destinations import check_destination, policy
from webhooks.endpoints.models import WebhookTarget
from webhooks.errors import DeliveryBusy, EndpointClosed, RotationRunning, TooManyEndpoints, UnknownEventTypes
from webhooks.event_types import EVENT_TYPES, TEST, is_known
from webhooks.models import Delivery, WebhookEndpoint
from webhooks.queries import endpoint_view, find_event, own_endpoints
from webhooks.shown import endpoint_event
from webhooks.targets import current_secret, seal_secret

MAX_ENDPOINTS = 20  # per tenant and mode; every event is matched against each
MAX_OVERLAP = timedelta(days=7)  # longer, and a leaked secret lives on unnoticed


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """What to change of an endpoint; None leaves it as it is."""

    url: str | None = None
    event_types: Sequence[str] | None = None
    enabled: bool | None = None
    description: str | None = None
    metadata: Mapping[str, str] | None = None


def create_endpoint(
    caller: Caller,
    *,
    url: str,
    event_types: Sequence[str],
    description: str = "",
    metadata: Mapping[str, str] | None = None,
) -> EndpointView:
    """Make an endpoint with a new secret; raises `UrlBlocked`, `UnknownEventTypes` or `TooManyEndpoints`."""
    kinds = _checked_types(event_types)
    check_destination(url, allowed=policy(), resolve=True)
    row_id, secret = new_id(), signing.new_secret()
    with _writing(caller):
        _require_room(caller)
        row = WebhookEndpoint.objects.create(
            id=row_id, tenant_id=caller.tenant_id, livemode=caller.livemode, event_types=kinds, enabled=True
        )
        row.refresh_from_db()
        target = WebhookTarget.objects.create(
            endpoint_id=row_id, url=url, description=description, metadata=dict(metadata or {}),
            secret=seal_secret(secret, tenant_id=caller.tenant_id, endpoint_id=row_id, column="secret"),
        )  # fmt: skip
        _audit(caller, "webhook_endpoint.created", row_id, after={"event_types": kinds})
        return endpoint_view(row, target, secret=secret)


def change_endpoint(caller: Caller, endpoint_id: UUID, *, change: EndpointChange) -> EndpointView | None:
    """Change an endpoint; None when there is none. Enabling forgets its failures; disabling cancels what is open."""
    kinds = _checked_types(change.event_types) if change.event_types is not None else None
    if change.url is not None:
        check_destination(change.url, allowed=policy(), resolve=True)
    with _writing(caller):
        row, target = _locked(caller, endpoint_id)
        if row is None or target is None:
            return None
        before = {"event_types": list(row.event_types), "enabled": row.enabled}
        _change_row(row, kinds=kinds, enabled=change.enabled)
        _change_target(target, change)
        after = {"event_types": list(row.event_types), "enabled": row.enabled, "url_changed": change.url is not None}
        _audit(caller, "webhook_endpoint.updated", endpoint_id, before=before, after=after)
        return endpoint_view(row, target, secret=current_secret(target, tenant_id=caller.tenant_id))


def delete_endpoint(caller: Caller, endpoint_id: UUID) -> bool:
    """Forget URL and secret at once; the next claim cancels what is open. False when there is none."""
    with _writing(caller):
        row, target = _locked(caller, endpoint_id)
        if row is None:
            return False
        changed = {"enabled": False, "disabled_reason": "deleted", "deleted_at": Now(), "next_due_at": Now()}
        WebhookEndpoint.objects.filter(pk=row.pk).update(**changed)
        if target is not None:
            target.delete()
        _audit(caller, "webhook_endpoint.deleted", endpoint_id)
    return True


def rotate_secret(caller: Caller, endpoint_id: UUID, *, overlap: timedelta) -> EndpointView | None:
    """A new secret; the old one signs along for the overlap (0 to 7 days). Raises `RotationRunning`.

    An overlap of 0 is always possible and ends every older secret at once: it is what a leak calls for.
    """
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise ValueError("overlap must be between 0 and 7 days")
    with _writing(caller):
        row, target = _locked(caller, endpoint_id)
        if row is None or target is None:
            return None
        secret = _replace_secret(target, tenant_id=caller.tenant_id, overlap=overlap)
        hours = overlap.total_seconds() / 3600
        _audit(caller, "webhook_endpoint.secret_rotated", endpoint_id, after={"overlap_hours": hours})
        return endpoint_view(row, target, secret=secret)


def send_test(caller: Caller, endpoint_id: UUID) -> UUID | None:
    """Publish a test event for this endpoint alone; its id, or None. Raises `EndpointClosed` when it is disabled."""
    with _writing(caller):
        row, _ = _locked(caller, endpoint_id)
        if row is None:
            return None
        if not row.enabled:
            raise EndpointClosed
        row.event_sequence += 1
        row.save(update_fields=["event_sequence"])
        data = endpoint_event(
            row.id, livemode=row.livemode, event_types=row.event_types, enabled=row.enabled,
            disabled_reason=row.disabled_reason, created_at=row.created_at,
        )  # fmt: skip
        return publish(
            TEST, tenant_id=caller.tenant_id, livemode=caller.livemode, subject_id=row.id,
            sequence=row.event_sequence, data=data,
        )  # fmt: skip


def resend(caller: Caller, delivery_id: UUID) -> bool:
    """One more attempt now, also on a disabled endpoint; False when there is no such delivery.

    Raises `DeliveryBusy` while an attempt is under way and `EndpointClosed` when the endpoint was deleted.
    """
    with _writing(caller):
        own = Delivery.objects.filter(tenant_id=caller.tenant_id, livemode=caller.livemode, id=delivery_id)
        # The delivery before its endpoint, as the sender does: then neither waits for the other for ever.
        row = own.select_for_update().first()
        if row is None:
            return False
        if row.state == "leased":
            raise DeliveryBusy
        endpoint = own_endpoints(caller).filter(pk=row.endpoint_id)
        if not endpoint.exists() or find_event(caller, row.event_id) is None:
            raise EndpointClosed
        own.filter(created_at=row.created_at).update(
            state="pending", manual=True, attempts_left=F("attempts_left") + 1, next_attempt_at=Now(), finished_at=None
        )
        endpoint.update(next_due_at=Least(F("next_due_at"), Now()))
        _audit(caller, "delivery.resent", delivery_id)
    return True


@contextmanager
def _writing(caller: Caller) -> Iterator[None]:
    with tenant_context(caller.tenant), transaction.atomic():
        yield


def _checked_types(event_types: Sequence[str]) -> list[str]:
    unknown = [name for name in event_types if not is_known(name)]
    if unknown:
        raise UnknownEventTypes(unknown, known=list(EVENT_TYPES))
    return list(dict.fromkeys(event_types))


def _require_room(caller: Caller) -> None:
    with connection.cursor() as cursor:
        key = f"webhook_endpoint|{caller.tenant_id}|{caller.livemode}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    if own_endpoints(caller).count() >= MAX_ENDPOINTS:
        raise TooManyEndpoints(MAX_ENDPOINTS)


def _locked(caller: Caller, endpoint_id: UUID) -> tuple[WebhookEndpoint | None, WebhookTarget | None]:
    row = own_endpoints(caller).select_for_update().filter(pk=endpoint_id).first()
    return row, WebhookTarget.objects.filter(pk=endpoint_id).first() if row else None


def _change_row(row: WebhookEndpoint, *, kinds: list[str] | None, enabled: bool | None) -> None:
    changed: dict[str, Any] = {}
    if kinds is not None:
        changed["event_types"] = kinds
    if enabled is not None and enabled != row.enabled:
        changed |= {"enabled": enabled, "disabled_reason": "" if enabled else "by_tenant", "next_due_at": Now()}
    if enabled:
        changed |= {"consecutive_failures": 0, "failing_since": None, "paused_until": None, "slow": False}
    if changed:
        WebhookEndpoint.objects.filter(pk=row.pk).update(**changed)
        row.refresh_from_db()


def _change_target(target: WebhookTarget, change: EndpointChange) -> None:
    wanted = {"url": change.url, "description": change.description, "metadata": change.metadata}
    changed = {name: value for name, value in wanted.items() if value is not None}
    for name, value in changed.items():
        setattr(target, name, value)
    if changed:
        target.save(update_fields=list(changed))
        _new_revision(target.endpoint_id)


def _replace_secret(target: WebhookTarget, *, tenant_id: UUID, overlap: timedelta) -> str:
    now, endpoint_id = datetime.now(UTC), target.endpoint_id
    if overlap and target.previous_expires_at and target.previous_expires_at > now:
        raise RotationRunning(target.previous_expires_at)
    old, secret = current_secret(target, tenant_id=tenant_id), signing.new_secret()
    target.secret = seal_secret(secret, tenant_id=tenant_id, endpoint_id=endpoint_id, column="secret")
    target.previous_secret = (
        seal_secret(old, tenant_id=tenant_id, endpoint_id=endpoint_id, column="previous_secret") if overlap else None
    )
    target.previous_expires_at = now + overlap if overlap else None
    target.save(update_fields=["secret", "previous_secret", "previous_expires_at"])
    _new_revision(endpoint_id)
    return secret


def _new_revision(endpoint_id: UUID) -> None:
    """Senders keep what they know of a revision: without a new one they would go on with the old URL or secret."""
    WebhookEndpoint.objects.filter(pk=endpoint_id).update(revision=F("revision") + 1)


def _audit(
    caller: Caller,
    action: str,
    subject: UUID,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    record_audit(
        action, actor=str(caller.key_id), subject=str(subject), tenant_id=caller.tenant_id, before=before, after=after
    )

"""Writes of one tenant: endpoints, tests and resends. Each is one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Least, Now

from apikit import ids
from apikit.ids import new_id
from events.facade import publish, record_audit
from tenants.facade import Caller, tenant_context
from webhooks import signing
from webhooks.contracts import EndpointView, Signature, Tuning
from webhooks.destinations import check_destination, policy
from webhooks.endpoints.models import WebhookTarget
from webhooks.errors import DeliveryBusy, EndpointClosed, JobUrlFixed, TooManyEndpoints, UnknownEventTypes
from webhooks.event_types import EVENT_TYPES, TEST, is_known
from webhooks.health_rules import switched
from webhooks.models import Delivery, WebhookEndpoint
from webhooks.own_headers import check_headers
from webhooks.queries import endpoint_view, find_event, own_endpoints
from webhooks.shown import endpoint_event
from webhooks.targets import current_headers, current_secret, seal_headers, seal_secret, set_signature

MAX_ENDPOINTS = 20  # per tenant and mode; every event is matched against each
CLEARABLE = frozenset({"schedule", "rate_per_s"})
DEFAULT_TUNING = Tuning()


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """What to change of an endpoint; None leaves it as it is, except for what `cleared` names: that becomes None."""

    url: str | None = None
    event_types: Sequence[str] | None = None
    enabled: bool | None = None
    description: str | None = None
    metadata: Mapping[str, str] | None = None
    schedule: Sequence[int] | None = None
    rate_per_s: float | None = None
    max_in_flight: int | None = None
    headers: Mapping[str, str] | None = None
    signature: Signature | None = None
    include_text: bool | None = None
    cleared: frozenset[str] = frozenset()

    @property
    def fits_job_urls(self) -> bool:
        """Whether it changes only how a URL that jobs named is sent to."""
        fixed = (self.url, self.event_types, self.description, self.metadata, self.headers, self.signature)
        return all(value is None for value in (*fixed, self.include_text))


def create_endpoint(
    caller: Caller,
    *,
    url: str,
    event_types: Sequence[str],
    description: str = "",
    metadata: Mapping[str, str] | None = None,
    tuning: Tuning = DEFAULT_TUNING,
) -> EndpointView:
    """Make an endpoint with a new secret.

    Raises `UrlBlocked`, `UnknownEventTypes`, `HeaderRefused` or `TooManyEndpoints`.
    """
    kinds = _checked_types(event_types)
    check_headers(tuning.headers)
    check_destination(url, allowed=policy(), resolve=True)
    target = WebhookTarget(endpoint_id=new_id(), url=url, description=description, metadata=dict(metadata or {}))
    with writing(caller):
        _require_room(caller)
        secret, public_key = _equip(target, tuning, tenant_id=caller.tenant_id)
        target.save(force_insert=True)
        row = WebhookEndpoint.objects.create(
            id=target.endpoint_id, tenant_id=caller.tenant_id, livemode=caller.livemode, kind="endpoint",
            event_types=kinds, enabled=True, schedule=_listed(tuning.schedule), rate_per_s=tuning.rate_per_s,
            max_in_flight=tuning.max_in_flight, include_text=tuning.include_text, public_key=public_key,
        )  # fmt: skip
        row.refresh_from_db()
        audit(caller, "webhook_endpoint.created", row.id, after=audited(row))
        return endpoint_view(row, target, secret=secret, headers=tuning.headers)


def change_endpoint(caller: Caller, endpoint_id: UUID, *, change: EndpointChange) -> EndpointView | None:
    """Change an endpoint; None when there is none. Enabling forgets its failures; disabling cancels what is open.

    Raises `JobUrlFixed` for most changes of a URL that jobs named.
    """
    kinds = _checked_types(change.event_types) if change.event_types is not None else None
    check_headers(change.headers or {})
    if change.url is not None:
        check_destination(change.url, allowed=policy(), resolve=True)
    with writing(caller):
        row, target = locked(caller, endpoint_id)
        if row is None or target is None:
            return None
        if row.kind == WebhookEndpoint.Kind.JOB and not change.fits_job_urls:
            raise JobUrlFixed
        before = audited(row)
        _change_row(row, change, kinds=kinds)
        _change_target(row, target, change)
        row.refresh_from_db()
        after = audited(row) | {"url_changed": change.url is not None, "headers_changed": change.headers is not None}
        audit(caller, "webhook_endpoint.updated", endpoint_id, before=before, after=after)
        return endpoint_view(
            row, target, secret=current_secret(target, tenant_id=caller.tenant_id),
            headers=current_headers(target, tenant_id=caller.tenant_id),
        )  # fmt: skip


def delete_endpoint(caller: Caller, endpoint_id: UUID) -> bool:
    """Forget URL and secret at once; the next claim cancels what is open. False when there is none."""
    with writing(caller):
        row, target = locked(caller, endpoint_id)
        if row is None:
            return False
        changed = {"enabled": False, "disabled_reason": "deleted", "deleted_at": Now(), "next_due_at": Now()}
        WebhookEndpoint.objects.filter(pk=row.pk).update(**changed)
        if target is not None:
            target.delete()
        audit(caller, "webhook_endpoint.deleted", endpoint_id, before=audited(row))
    return True


def send_test(caller: Caller, endpoint_id: UUID) -> UUID | None:
    """Publish a test event for this endpoint alone; its id, or None. Raises `EndpointClosed` when it is disabled."""
    with writing(caller):
        row, _ = locked(caller, endpoint_id)
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
        event_id = publish(
            TEST, tenant_id=caller.tenant_id, livemode=caller.livemode, subject_id=row.id,
            sequence=row.event_sequence, data=data,
        )  # fmt: skip
        audit(caller, "webhook_endpoint.tested", endpoint_id, after={"event_id": ids.show(ids.EVENT, event_id)})
    return event_id


def resend(caller: Caller, delivery_id: UUID) -> bool:
    """One more attempt now, also on a disabled endpoint; False when there is no such delivery.

    Raises `DeliveryBusy` while an attempt is under way and `EndpointClosed` when the endpoint was deleted.
    """
    with writing(caller):
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
        audit(caller, "delivery.resent", delivery_id, before={"state": row.state}, after={"state": "pending"})
    return True


@contextmanager
def writing(caller: Caller) -> Iterator[None]:
    """One transaction of the caller's tenant."""
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
    if own_endpoints(caller).filter(kind="endpoint").count() >= MAX_ENDPOINTS:
        raise TooManyEndpoints(MAX_ENDPOINTS)


def locked(caller: Caller, endpoint_id: UUID) -> tuple[WebhookEndpoint | None, WebhookTarget | None]:
    """Both halves of an endpoint, its row locked; None for what is not there."""
    row = own_endpoints(caller).select_for_update().filter(pk=endpoint_id).first()
    return row, WebhookTarget.objects.filter(pk=endpoint_id).first() if row else None


def _equip(target: WebhookTarget, tuning: Tuning, *, tenant_id: UUID) -> tuple[str, str]:
    """Give a new target its sealed secret, keys and headers; returns the secret and the public key or ""."""
    secret, endpoint_id = signing.new_secret(), target.endpoint_id
    target.secret = seal_secret(secret, tenant_id=tenant_id, endpoint_id=endpoint_id, column="secret")
    target.headers = seal_headers(tuning.headers, tenant_id=tenant_id, endpoint_id=endpoint_id)
    return secret, set_signature(target, tuning.signature, tenant_id=tenant_id)


def _change_row(row: WebhookEndpoint, change: EndpointChange, *, kinds: list[str] | None) -> None:
    wanted = {
        "event_types": kinds,
        "schedule": _listed(change.schedule),
        "rate_per_s": change.rate_per_s,
        "max_in_flight": change.max_in_flight,
        "include_text": change.include_text,
    }
    changed: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    changed |= dict.fromkeys(change.cleared & CLEARABLE)
    if change.enabled is not None:
        changed |= switched(enabled=change.enabled, was_enabled=row.enabled, reason=row.disabled_reason)
        changed["next_due_at"] = Now()
    if changed:
        WebhookEndpoint.objects.filter(pk=row.pk).update(**changed)
        row.refresh_from_db()


def _change_target(row: WebhookEndpoint, target: WebhookTarget, change: EndpointChange) -> None:
    wanted = {"url": change.url, "description": change.description, "metadata": change.metadata}
    changed: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    if change.headers is not None:
        changed["headers"] = seal_headers(change.headers, tenant_id=row.tenant_id, endpoint_id=row.id)
    for name, value in changed.items():
        setattr(target, name, value)
    if change.signature is not None:
        row.public_key = set_signature(target, change.signature, tenant_id=row.tenant_id)
        if target.previous_signing_key is None:
            row.previous_public_key, row.previous_key_expires_at = "", None
        row.save(update_fields=["public_key", "previous_public_key", "previous_key_expires_at"])
        changed |= dict.fromkeys(("signing_key", "previous_signing_key"))
    if changed:
        target.save(update_fields=list(changed))
    if changed or change.include_text is not None:
        new_revision(row.id)


def new_revision(endpoint_id: UUID) -> None:
    """Senders keep what they know of a revision: without a new one they would go on with the old URL or secret."""
    WebhookEndpoint.objects.filter(pk=endpoint_id).update(revision=F("revision") + 1)


def _listed(schedule: Sequence[int] | None) -> list[int] | None:
    return None if schedule is None else list(schedule)


def audited(row: WebhookEndpoint) -> dict[str, Any]:
    """What the audit log keeps of an endpoint: neither URL nor secret."""
    names = ("event_types", "enabled", "schedule", "rate_per_s", "max_in_flight", "include_text")
    return {name: getattr(row, name) for name in names} | {"v1a": bool(row.public_key)}


def audit(
    caller: Caller,
    action: str,
    subject: UUID,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """One row of the audit log, in the caller's transaction."""
    record_audit(
        action, actor=str(caller.key_id), subject=str(subject), tenant_id=caller.tenant_id, before=before, after=after
    )

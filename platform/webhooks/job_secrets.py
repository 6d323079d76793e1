"""What signs the events that go to jobs' own URLs: one secret per tenant and mode, made when it is first needed.

Everything here must be called in the tenant's context.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tenants.facade import Place, seal, unseal
from webhooks import signing
from webhooks.endpoints.models import WebhookJobSecret
from webhooks.errors import RotationRunning

TABLE = "webhook_job_secret"


@dataclass(frozen=True, slots=True)
class JobSecret:
    """The newest secret, and the one before it while a rotation's overlap lasts."""

    secret: str = field(repr=False)
    previous: str | None = field(repr=False)
    ends_at: datetime | None


def current(tenant_id: UUID, *, livemode: bool) -> JobSecret:
    """The secrets in force; the first call makes the first one."""
    row = WebhookJobSecret.objects.filter(pk=livemode).first()
    if row is None:
        sealed = _sealed(signing.new_secret(), tenant_id, livemode, "secret")
        # Of two first calls at once, one makes it and both read that one.
        WebhookJobSecret.objects.bulk_create([WebhookJobSecret(pk=livemode, secret=sealed)], ignore_conflicts=True)
        row = WebhookJobSecret.objects.get(pk=livemode)
    previous = row.previous_secret
    return JobSecret(
        secret=_opened(bytes(row.secret), tenant_id, livemode, "secret"),
        previous=None if previous is None else _opened(bytes(previous), tenant_id, livemode, "previous_secret"),
        ends_at=row.previous_expires_at,
    )


def rotate(tenant_id: UUID, *, livemode: bool, overlap: timedelta) -> JobSecret:
    """A new secret in the caller's transaction; the old one signs along for the overlap. Raises `RotationRunning`."""
    current(tenant_id, livemode=livemode)
    row, now = WebhookJobSecret.objects.select_for_update().get(pk=livemode), datetime.now(UTC)
    if overlap and row.previous_expires_at and row.previous_expires_at > now:
        raise RotationRunning(row.previous_expires_at)
    old = _opened(bytes(row.secret), tenant_id, livemode, "secret")
    row.secret = _sealed(signing.new_secret(), tenant_id, livemode, "secret")
    row.previous_secret = _sealed(old, tenant_id, livemode, "previous_secret") if overlap else None
    row.previous_expires_at = now + overlap if overlap else None
    row.save(update_fields=["secret", "previous_secret", "previous_expires_at"])
    return current(tenant_id, livemode=livemode)


def _sealed(secret: str, tenant_id: UUID, livemode: bool, column: str) -> bytes:
    return seal(secret.encode(), place=_place(tenant_id, livemode, column))


def _opened(sealed: bytes, tenant_id: UUID, livemode: bool, column: str) -> str:
    return unseal(sealed, place=_place(tenant_id, livemode, column)).decode()


def _place(tenant_id: UUID, livemode: bool, column: str) -> Place:
    return Place(tenant_id, TABLE, column, "live" if livemode else "test")

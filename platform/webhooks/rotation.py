"""New secrets and keys for endpoints and for jobs' URLs; the old ones sign along for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import F

from tenants.facade import Caller, tenant_context
from webhooks import job_secrets, signing
from webhooks.contracts import EndpointView, JobSecretView
from webhooks.endpoints.models import WebhookTarget
from webhooks.errors import JobUrlFixed, RotationRunning
from webhooks.models import WebhookEndpoint
from webhooks.queries import endpoint_view
from webhooks.services import audit, audited, locked, new_revision, writing
from webhooks.targets import current_headers, current_secret, current_signing_key, seal_secret

MAX_OVERLAP = timedelta(days=7)  # longer, and a leaked secret lives on unnoticed


def rotate_secret(caller: Caller, endpoint_id: UUID, *, overlap: timedelta) -> EndpointView | None:
    """A new secret, and with `v1a` new keys; the old ones sign along for the overlap. Raises `RotationRunning`.

    An overlap of 0 is always possible and ends everything older at once: it is what a leak calls for.
    """
    _check_overlap(overlap)
    with writing(caller):
        row, target = locked(caller, endpoint_id)
        if row is None or target is None:
            return None
        if row.kind == WebhookEndpoint.Kind.JOB:
            raise JobUrlFixed
        before = audited(row)
        _replace(row, target, overlap=overlap)
        new_revision(row.id)
        after = audited(row) | {"overlap_hours": overlap.total_seconds() / 3600}
        audit(caller, "webhook_endpoint.secret_rotated", endpoint_id, before=before, after=after)
        return endpoint_view(
            row, target, secret=current_secret(target, tenant_id=caller.tenant_id),
            headers=current_headers(target, tenant_id=caller.tenant_id),
        )  # fmt: skip


def read_job_secret(caller: Caller) -> JobSecretView:
    """What verifies the events that go to the URLs of jobs of the caller's mode."""
    with tenant_context(caller.tenant):
        return _view(caller, job_secrets.current(caller.tenant_id, livemode=caller.livemode))


def rotate_job_secret(caller: Caller, *, overlap: timedelta) -> JobSecretView:
    """A new secret for all URLs of jobs of the caller's mode, like `rotate_secret`. Raises `RotationRunning`."""
    _check_overlap(overlap)
    with writing(caller):
        before = job_secrets.current(caller.tenant_id, livemode=caller.livemode)
        secret = job_secrets.rotate(caller.tenant_id, livemode=caller.livemode, overlap=overlap)
        hidden = WebhookEndpoint.objects.filter(tenant_id=caller.tenant_id, livemode=caller.livemode, kind="job")
        hidden.filter(deleted_at__isnull=True).update(revision=F("revision") + 1)
        states = {"before": _ending(before), "after": _ending(secret)}
        audit(caller, "webhook_job_secret.rotated", caller.tenant_id, **states)
        return _view(caller, secret)


def _check_overlap(overlap: timedelta) -> None:
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise ValueError("overlap must be between 0 and 7 days")


def _replace(row: WebhookEndpoint, target: WebhookTarget, *, overlap: timedelta) -> None:
    now = datetime.now(UTC)
    if overlap and target.previous_expires_at and target.previous_expires_at > now:
        raise RotationRunning(target.previous_expires_at)
    ends_at = now + overlap if overlap else None
    old, old_key = current_secret(target, tenant_id=row.tenant_id), current_signing_key(target, tenant_id=row.tenant_id)
    target.secret = _sealed(signing.new_secret(), row, "secret")
    target.previous_secret = _sealed(old, row, "previous_secret") if overlap else None
    target.previous_expires_at = ends_at
    target.previous_signing_key = _sealed(old_key, row, "previous_signing_key") if overlap and old_key else None
    row.previous_public_key = row.public_key if overlap else ""
    row.previous_key_expires_at = ends_at
    if old_key:
        new_key = signing.new_signing_key()
        target.signing_key, row.public_key = _sealed(new_key, row, "signing_key"), signing.public_key(new_key)
    target.save(
        update_fields=["secret", "previous_secret", "previous_expires_at", "signing_key", "previous_signing_key"]
    )
    row.save(update_fields=["public_key", "previous_public_key", "previous_key_expires_at"])


def _sealed(secret: str, row: WebhookEndpoint, column: str) -> bytes:
    return seal_secret(secret, tenant_id=row.tenant_id, endpoint_id=row.id, column=column)


def _ending(secret: job_secrets.JobSecret) -> dict[str, str | None]:
    return {"previous_secret_expires_at": secret.ends_at.isoformat() if secret.ends_at else None}


def _view(caller: Caller, secret: job_secrets.JobSecret) -> JobSecretView:
    ends_at = secret.ends_at if secret.ends_at and secret.ends_at > datetime.now(UTC) else None
    return JobSecretView(livemode=caller.livemode, secret=secret.secret, previous_secret_expires_at=ends_at)

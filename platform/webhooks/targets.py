"""Reads and writes of `webhook_target`, the content of an endpoint, inside its tenant's schema.

Everything here must be called in the tenant's context; secrets leave it only as `Destination`s and for their owner.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from uuid import UUID

from tenants.facade import Place, seal, unseal
from webhooks import job_secrets, signing
from webhooks.contracts import Destination, Signature
from webhooks.endpoints.models import WebhookTarget
from webhooks.models import WebhookEndpoint

TABLE = "webhook_target"


def seal_secret(secret: str, *, tenant_id: UUID, endpoint_id: UUID, column: str) -> bytes:
    """The secret as it is stored, bound to this endpoint and column."""
    return seal(secret.encode(), place=_place(tenant_id, endpoint_id, column))


def seal_headers(headers: Mapping[str, str], *, tenant_id: UUID, endpoint_id: UUID) -> bytes | None:
    """The tenant's own headers as they are stored; None for none."""
    encoded = json.dumps(dict(headers))
    return seal_secret(encoded, tenant_id=tenant_id, endpoint_id=endpoint_id, column="headers") if headers else None


def current_secret(row: WebhookTarget, *, tenant_id: UUID) -> str:
    """The newest signing secret; for a URL that jobs named, the one of all such URLs of its mode."""
    if row.job_livemode is not None:
        return job_secrets.current(tenant_id, livemode=row.job_livemode).secret
    return unseal(bytes(row.secret), place=_place(tenant_id, row.endpoint_id, "secret")).decode()


def current_signing_key(row: WebhookTarget, *, tenant_id: UUID) -> str | None:
    """The newest pair of keys, or None without `v1a`."""
    return _opened(row, "signing_key", tenant_id=tenant_id)


def current_headers(row: WebhookTarget, *, tenant_id: UUID) -> dict[str, str]:
    """The tenant's own headers."""
    found: dict[str, str] = json.loads(_opened(row, "headers", tenant_id=tenant_id) or "{}")
    return found


def set_signature(row: WebhookTarget, signature: Signature, *, tenant_id: UUID) -> str:
    """Give the row a new pair of keys for `v1a`, keep the one it has, or drop it; returns the public half or ""."""
    if signature == "v1":
        row.signing_key = row.previous_signing_key = None
        return ""
    if row.signing_key is None:
        sealed = seal_secret(
            signing.new_signing_key(), tenant_id=tenant_id, endpoint_id=row.endpoint_id, column="signing_key"
        )
        row.signing_key, row.previous_signing_key = sealed, None
    return signing.public_key(current_signing_key(row, tenant_id=tenant_id) or "")


def destinations(endpoint_ids: Collection[UUID], *, tenant_id: UUID) -> dict[UUID, Destination]:
    """Where these endpoints' events go; those without a row are left out."""
    rows = list(WebhookTarget.objects.filter(endpoint_id__in=endpoint_ids))
    wanting = set(WebhookEndpoint.objects.filter(pk__in=endpoint_ids, include_text=True).values_list("pk", flat=True))
    modes = {row.job_livemode for row in rows if row.job_livemode is not None}
    shared = {mode: job_secrets.current(tenant_id, livemode=mode) for mode in modes}
    return {
        row.endpoint_id: _destination(row, tenant_id=tenant_id, shared=shared, include_text=row.endpoint_id in wanting)
        for row in rows
    }


def _destination(
    row: WebhookTarget, *, tenant_id: UUID, shared: Mapping[bool, job_secrets.JobSecret], include_text: bool
) -> Destination:
    if row.job_livemode is not None:
        secret = shared[row.job_livemode]
        return Destination(
            url=row.url, secret=secret.secret, previous_secret=secret.previous, previous_expires_at=secret.ends_at
        )
    return Destination(
        url=row.url,
        secret=current_secret(row, tenant_id=tenant_id),
        previous_secret=_opened(row, "previous_secret", tenant_id=tenant_id),
        previous_expires_at=row.previous_expires_at,
        signing_key=current_signing_key(row, tenant_id=tenant_id),
        previous_signing_key=_opened(row, "previous_signing_key", tenant_id=tenant_id),
        headers=current_headers(row, tenant_id=tenant_id),
        include_text=include_text,
    )


def _opened(row: WebhookTarget, column: str, *, tenant_id: UUID) -> str | None:
    sealed = getattr(row, column)
    return None if sealed is None else unseal(bytes(sealed), place=_place(tenant_id, row.endpoint_id, column)).decode()


def _place(tenant_id: UUID, endpoint_id: UUID, column: str) -> Place:
    return Place(tenant_id, TABLE, column, str(endpoint_id))

"""Reads and writes of `webhook_target`, the content of an endpoint, inside its tenant's schema.

Everything here must be called in the tenant's context; secrets leave it only as `Destination`s and for their owner.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from tenants.facade import Place, seal, unseal
from webhooks.contracts import Destination
from webhooks.endpoints.models import WebhookTarget

TABLE = "webhook_target"


def seal_secret(secret: str, *, tenant_id: UUID, endpoint_id: UUID, column: str) -> bytes:
    """The secret as it is stored, bound to this endpoint and column."""
    return seal(secret.encode(), place=_place(tenant_id, endpoint_id, column))


def current_secret(row: WebhookTarget, *, tenant_id: UUID) -> str:
    """The newest signing secret."""
    return unseal(bytes(row.secret), place=_place(tenant_id, row.endpoint_id, "secret")).decode()


def destinations(endpoint_ids: Collection[UUID], *, tenant_id: UUID) -> dict[UUID, Destination]:
    """Where these endpoints' events go; those without a row are left out."""
    rows = WebhookTarget.objects.filter(endpoint_id__in=endpoint_ids)
    return {row.endpoint_id: _destination(row, tenant_id=tenant_id) for row in rows}


def _destination(row: WebhookTarget, *, tenant_id: UUID) -> Destination:
    previous = row.previous_secret
    place = _place(tenant_id, row.endpoint_id, "previous_secret")
    return Destination(
        url=row.url,
        secret=current_secret(row, tenant_id=tenant_id),
        previous_secret=None if previous is None else unseal(bytes(previous), place=place).decode(),
        previous_expires_at=row.previous_expires_at,
    )


def _place(tenant_id: UUID, endpoint_id: UUID, column: str) -> Place:
    return Place(tenant_id, TABLE, column, str(endpoint_id))

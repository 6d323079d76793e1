"""How own credentials look from outside, and telling their tenant when a provider begins to refuse them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from apikit import ids
from events.facade import publish, record_audit
from speech.models import ProviderCredential
from speech.resources import stamp

FAILING: Final = "provider_credential.failing"


def note(tenant_id: UUID, *, provider: str, code: str | None) -> None:
    """The provider refuses them with this code, or (None) takes them again.

    The tenant, whose context this is, is told once until they work again, however many workers see it.
    """
    with transaction.atomic():
        row = ProviderCredential.objects.select_for_update().filter(provider=provider, livemode=True).first()
        if row is None or (row.failing_since is None) == (code is None):
            return
        row.failing_since, row.failing_code = (datetime.now(UTC), code) if code else (None, "")
        ProviderCredential.objects.filter(pk=row.pk).update(
            failing_since=row.failing_since, failing_code=row.failing_code
        )
        if code is not None:
            publish(FAILING, tenant_id=tenant_id, livemode=True, subject_id=row.id, sequence=1, data=shown(row))
            after = {"code": code, "provider": provider}
            record_audit(FAILING, actor="system", subject=str(row.id), tenant_id=tenant_id, after=after)


def shown(row: ProviderCredential) -> dict[str, Any]:
    """The resource: never the secret."""
    return {
        "id": ids.show(ids.PROVIDER_CREDENTIAL, row.id),
        "object": "provider_credential",
        "livemode": row.livemode,
        "provider": row.provider,
        "region": row.region or None,
        "name": row.name,
        "last4": row.last4,
        "status": "failing" if row.failing_since else "working",
        "failing_since": stamp(row.failing_since),
        "failing_code": row.failing_code or None,
        "checked_at": stamp(row.checked_at),
        "rotated_at": stamp(row.rotated_at),
        "created": stamp(row.created_at),
    }

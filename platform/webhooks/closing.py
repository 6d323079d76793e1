"""What ends with a closed tenant: its endpoints, those that jobs named too, and who is told by e-mail."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from observe.facade import failpoint
from tenants.facade import tenant_context, tenant_ref
from webhooks.endpoints.models import WebhookJobSecret, WebhookTarget
from webhooks.models import AlertAddress, Replay, WebhookEndpoint


def end_endpoints(tenant_id: UUID, _subject_id: UUID) -> None:
    """Forget every URL and secret (handler of a due date); the next claim cancels what is open. Again does nothing."""
    with tenant_context(tenant_ref(tenant_id)), transaction.atomic():
        WebhookEndpoint.objects.filter(tenant_id=tenant_id, deleted_at=None).update(
            enabled=False, disabled_reason="deleted", deleted_at=Now(), next_due_at=Now()
        )
        Replay.objects.filter(tenant_id=tenant_id, state=Replay.State.RUNNING).update(
            state=Replay.State.CANCELED, finished_at=Now()
        )
        for forgotten in (WebhookTarget.objects.all(), WebhookJobSecret.objects.all()):
            forgotten.delete()
        AlertAddress.objects.filter(tenant_id=tenant_id).delete()
        failpoint("close.endpoints_uncommitted")
    failpoint("close.endpoints_ended")

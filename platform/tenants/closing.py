"""The end of a tenant: closed in one transaction, ended and erased by due dates that survive whoever works on them.

`close` ends all keys. A due date at once has the webhook endpoints end, another one after the grace has everything with
content erased. Ledger, register of jobs and audit log stay.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connections, transaction

from dispatch.facade import add_due_date
from events.facade import record_audit
from tenants import forgetting
from tenants.key_services import revoke_key
from tenants.models import ApiKey, Tenant

OWNER: Final = "owner"
SYSTEM: Final = "system"
CLOSED_DUE: Final = "tenant_closed"  # whoever sends for a tenant stops
ERASE_DUE: Final = "tenant_erase"  # its content goes
GRACE: Final = timedelta(days=30)  # as long as events and deliveries are kept


def close(tenant_id: UUID, *, grace: timedelta = GRACE, actor: str = "operator") -> datetime | None:
    """Refuse all keys from now on, and erase the content after the grace; when that will be, in UTC.

    None when the tenant is closed already, or there is none. Raises ValueError for a negative grace.
    """
    if grace < timedelta(0):
        raise ValueError("the grace cannot be negative")
    now = datetime.now(UTC)
    with transaction.atomic(using=OWNER):
        tenant = Tenant.objects.using(OWNER).select_for_update().filter(pk=tenant_id).first()
        if tenant is None or tenant.status == Tenant.Status.CLOSED:
            return None
        before, tenant.status = tenant.status, Tenant.Status.CLOSED
        tenant.closed_at, tenant.erase_at = now, now + grace
        tenant.save(using=OWNER, update_fields=["status", "closed_at", "erase_at"])
        ended = _revoke_all(tenant_id, actor=actor)
        after = {"status": "closed", "erase_at": tenant.erase_at.isoformat(), "keys_revoked": ended}
        record_audit(
            "tenant.closed", actor=actor, subject=str(tenant_id), tenant_id=tenant_id, before={"status": before},
            after=after, using=OWNER,
        )  # fmt: skip
        for kind, due_at in ((CLOSED_DUE, now), (ERASE_DUE, tenant.erase_at)):
            add_due_date(kind, tenant_id=tenant_id, subject_id=tenant_id, due_at=due_at, using=OWNER)
        forgetting.forget_on_commit(using=OWNER)
    return now + grace


def erase_rows(tenant_id: UUID) -> bool:
    """Drop the schema and the data keys of a tenant whose grace is over; False when that has happened before.

    Whatever was sealed for the tenant, in backups too, can never be read again.
    """
    with transaction.atomic(using=SYSTEM), connections[SYSTEM].cursor() as cursor:
        cursor.execute("SELECT public.parlance_erase_tenant(%s)", [tenant_id])
        erased = bool(cursor.fetchone()[0])
        if erased:
            record_audit("tenant.erased", actor="system", subject=str(tenant_id), tenant_id=tenant_id, using=SYSTEM)
    return erased


def _revoke_all(tenant_id: UUID, *, actor: str) -> int:
    living = ApiKey.objects.using(OWNER).filter(tenant_id=tenant_id, revoked_at=None).order_by("id")
    return sum(revoke_key(key_id, actor=actor, using=OWNER) for key_id in living.values_list("id", flat=True))

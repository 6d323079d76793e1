"""The audit log: one row per change that a person or key made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS

from events.models import AuditEntry


def record(
    action: str,
    *,
    actor: str,
    subject: str,
    tenant_id: UUID | None,
    address: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> None:
    """Add a row in the caller's transaction; never pass secrets or content."""
    AuditEntry.objects.using(using).create(
        tenant_id=tenant_id,
        actor=actor,
        action=action,
        subject=subject,
        address=address,
        before=before,
        after=after,
    )

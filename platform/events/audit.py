"""The audit log: one row per change that a person or key made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q

from events.models import AuditEntry
from events.origin import MAX_AGENT_CHARS, origin


def record(
    action: str,
    *,
    actor: str,
    subject: str,
    tenant_id: UUID | None,
    address: str = "",
    livemode: bool | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> None:
    """Add a row in the caller's transaction; never pass secrets or content.

    Where it comes from is known from `origin`; `address` and `livemode` say more than that.
    """
    place = origin()
    AuditEntry.objects.using(using).create(
        tenant_id=tenant_id,
        actor=actor,
        action=action,
        subject=subject,
        address=(address or place.address)[:64],
        user_agent=place.user_agent[:MAX_AGENT_CHARS],
        request_id=place.request_id,
        livemode=place.livemode if livemode is None else livemode,
        before=before,
        after=after,
    )


@dataclass(frozen=True, slots=True)
class AuditWanted:
    """Which rows of a tenant: an empty text or None leaves that open. `action` may end in `.*`."""

    tenant_id: UUID
    livemode: bool
    action: str = ""
    subject: str = ""
    actor: str = ""
    start: datetime | None = None
    end: datetime | None = None
    before: UUID | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change, as it was written."""

    id: UUID
    created_at: datetime
    actor: str
    action: str
    subject: str
    address: str
    user_agent: str
    request_id: str
    livemode: bool | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def rows(wanted: AuditWanted, *, limit: int, using: str = DEFAULT_DB_ALIAS) -> list[AuditRow]:
    """Newest first. What is of neither mode belongs to live keys."""
    mode = Q(livemode=True) | Q(livemode=None) if wanted.livemode else Q(livemode=False)
    found = AuditEntry.objects.using(using).filter(mode, tenant_id=wanted.tenant_id)
    if wanted.action:
        family = wanted.action.removesuffix("*")
        exact = family == wanted.action
        found = found.filter(action=family) if exact else found.filter(action__startswith=family)
    given = {
        "subject": wanted.subject or None, "actor": wanted.actor or None, "created_at__gte": wanted.start,
        "created_at__lt": wanted.end, "id__lt": wanted.before,
    }  # fmt: skip
    found = found.filter(**{name: value for name, value in given.items() if value is not None})
    names = AuditRow.__dataclass_fields__
    return [AuditRow(*values) for values in found.order_by("-id").values_list(*names)[:limit]]

"""From which web pages a tenant's uploads may be sent: origins, as a browser states them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from dispatch.facade import add_due_date
from events.facade import record_audit
from tenants.models import UploadOrigins

ORIGINS_DUE = "upload_origins"  # a store that has to know all origins is told by the scheduler
MAX_ORIGINS = 50
_NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_PUBLIC = re.compile(rf"https://{_NAME}(\.{_NAME})*(:[1-9]\d{{0,4}})?")
# Pages under development, and apps that show their pages from the phone itself.
_LOCAL = re.compile(r"(http://(localhost|127\.0\.0\.1)(:[1-9]\d{0,4})?|(capacitor|ionic|app)://localhost)")


def is_origin(text: str) -> bool:
    """Whether a browser may state this as its origin.

    >>> is_origin("https://app.example.com"), is_origin("http://localhost:3000"), is_origin("capacitor://localhost")
    (True, True, True)
    >>> [is_origin(text) for text in ("*", "null", "https://a.example/", "https://*.example", "http://a.example")]
    [False, False, False, False, False]
    """
    return len(text) <= 253 and bool(_PUBLIC.fullmatch(text) or _LOCAL.fullmatch(text))


def upload_origins(tenant_id: UUID, *, using: str = "default") -> tuple[str, ...]:
    """The tenant's, in order."""
    row = UploadOrigins.objects.using(using).filter(pk=tenant_id).first()
    return tuple(row.origins) if row else ()


def all_upload_origins() -> tuple[str, ...]:
    """Those of all tenants, once each (the scheduler only)."""
    rows = UploadOrigins.objects.using("system").values_list("origins", flat=True)
    return tuple(sorted({origin for origins in rows for origin in origins}))


def set_upload_origins(tenant_id: UUID, origins: Iterable[str], *, actor: str) -> tuple[str, ...]:
    """Replace them, within the tenant's context; in force within seconds. Returns them as they were stored."""
    wanted = tuple(sorted(set(origins)))
    with transaction.atomic():
        before = upload_origins(tenant_id)
        UploadOrigins.objects.update_or_create(tenant_id=tenant_id, defaults={"origins": list(wanted)})
        record_audit(
            "upload_origins.changed", actor=actor, subject=str(tenant_id), tenant_id=tenant_id,
            before={"origins": list(before)}, after={"origins": list(wanted)},
        )  # fmt: skip
        add_due_date(ORIGINS_DUE, tenant_id=tenant_id, subject_id=tenant_id, due_at=datetime.now(UTC))
    return wanted

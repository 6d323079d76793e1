"""Room for a tenant's own things: a limit per tenant and mode that two requests at once cannot pass."""

from __future__ import annotations

from django.db import connection
from django.db.models import Model, QuerySet

from speech.synthesis.errors import ShelfFull
from tenants.facade import Caller


def require_room(caller: Caller, rows: QuerySet[Model], *, limit: int, kind: str) -> None:
    """Let one request after the other pass, in its transaction; raises `ShelfFull` when there are `limit` rows."""
    with connection.cursor() as cursor:
        key = f"{kind}|{caller.tenant_id}|{caller.livemode}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    if rows.count() >= limit:
        raise ShelfFull(kind, limit)

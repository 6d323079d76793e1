"""Which models a tenant's jobs use: one public row each, written once a day and process: it costs a job nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from django.db import connection

MAX_NOTED: Final = 20_000

_NOTE = """INSERT INTO public.model_use AS u (tenant_id, engine, model, livemode, last_used_on)
 VALUES (%s, %s, %s, true, %s) ON CONFLICT (tenant_id, livemode, engine, model)
 DO UPDATE SET last_used_on = excluded.last_used_on WHERE u.last_used_on < excluded.last_used_on"""

_noted: set[tuple[UUID, str, str, date]] = set()


def note(tenant_id: UUID, *, engine: str, model: str) -> None:
    """A live job of the tenant, whose context this is, will use the model."""
    today = datetime.now(UTC).date()
    use = (tenant_id, engine, model, today)
    if use in _noted:
        return
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, use)
    if len(_noted) >= MAX_NOTED:
        _noted.clear()
    _noted.add(use)

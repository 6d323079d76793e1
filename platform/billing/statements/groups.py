"""The ledger's sums that statements are made of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connections

from billing.statements.contracts import Group

# An adjustment that a person asked for has the meter `money` and its own id as subject.
_GROUPS = """SELECT tenant_id, meter, engine, model, mode, feature, currency, book_version, unit_price, unit_size,
   origin_period, kind = 'adjust', CASE WHEN meter = 'money' THEN subject_id END, sum(billable_quantity)::bigint,
   sum(amount), coalesce(sum(amount) FILTER (WHERE on_wallet), 0), count(*)
  FROM public.usage_entry
 WHERE period = %(period)s AND kind <> 'cost' AND livemode {of_tenant}
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 ORDER BY tenant_id"""
_EVERY = _GROUPS.format(of_tenant="")
_ONE = _GROUPS.format(of_tenant="AND tenant_id = %(tenant_id)s")


def groups_of(tenant_id: UUID, *, period: date, using: str) -> list[Group]:
    """One tenant's groups."""
    return [group for _, group in _read(_ONE, {"period": period, "tenant_id": tenant_id}, using=using)]


def every_group(period: date, *, using: str) -> Iterator[tuple[UUID, Group]]:
    """All tenants' groups of the month, tenant by tenant; one query."""
    return _read(_EVERY, {"period": period}, using=using)


def _read(sql: str, values: dict[str, Any], *, using: str) -> Iterator[tuple[UUID, Group]]:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)
        for tenant_id, *row in cursor.fetchall():
            yield tenant_id, Group(*row)

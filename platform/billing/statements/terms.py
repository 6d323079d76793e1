"""What contracts say of a month; a tenant without one has the installation's plain terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from billing import months
from billing.errors import WrongStatus
from billing.models import Contract, Statement
from billing.statements.contracts import Terms
from events.facade import record_audit

# The tenant's own row gives currency and zone: they never change (a trigger), so a month's bounds never do.
_TERMS = """SELECT t.id, t.currency, t.time_zone, coalesce(nullif(c.legal_name, ''), t.name), coalesce(c.address, ''),
   coalesce(c.registration_number, ''), coalesce(c.tax_name, ''), coalesce(c.tax_percent, 0), coalesce(c.plan, ''),
   coalesce(c.collection, 'none')
 FROM public.tenant AS t LEFT JOIN LATERAL (
   SELECT * FROM public.billing_contract WHERE tenant_id = t.id AND starts_on <= %(period)s
    ORDER BY starts_on DESC LIMIT 1) AS c ON true
 WHERE t.id = ANY(%(tenants)s)"""


def terms_of(tenants: Iterable[UUID], *, period: date, using: str = "system") -> Mapping[UUID, Terms]:
    """The terms of each tenant for the month; one query."""
    with connections[using].cursor() as cursor:
        cursor.execute(_TERMS, {"period": period, "tenants": list(tenants)})
        return {row[0]: _terms(row, period) for row in cursor.fetchall()}


def set_contract(
    tenant_id: UUID,
    *,
    starts_on: date,
    actor: str,
    plan: str = "",
    legal_name: str = "",
    address: str = "",
    registration_number: str = "",
    tax_name: str = "",
    tax_percent: Decimal = Decimal(0),
    collection: str = "none",
    using: str = "owner",
) -> None:
    """Put terms in force from a month on, until a later contract. Raises `WrongStatus` where a month of it is rated.

    A rated statement must be made again from what is stored: its plan's minimum commit is part of that.
    """
    months.check(starts_on)
    values: dict[str, Any] = {
        "plan": plan, "legal_name": legal_name, "address": address, "registration_number": registration_number,
        "tax_name": tax_name, "tax_percent": tax_percent, "collection": collection, "created_by": actor,
    }  # fmt: skip
    with transaction.atomic(using=using):
        _refuse_rated(tenant_id, starts_on, using=using)
        Contract.objects.using(using).update_or_create(tenant_id=tenant_id, starts_on=starts_on, defaults=values)
        record_audit(
            "contract.set", actor=actor, subject=str(tenant_id), tenant_id=tenant_id, using=using,
            after={**values, "tax_percent": str(tax_percent), "starts_on": starts_on.isoformat()},
        )  # fmt: skip


def _refuse_rated(tenant_id: UUID, starts_on: date, *, using: str) -> None:
    later = Contract.objects.using(using).filter(tenant_id=tenant_id, starts_on__gt=starts_on).order_by("starts_on")
    rated = Statement.objects.using(using).filter(tenant_id=tenant_id, period__gte=starts_on)
    for following in later[:1]:
        rated = rated.filter(period__lt=following.starts_on)
    for row in rated.exclude(status=Statement.Status.DRAFT).order_by("-period")[:1]:
        raise WrongStatus(f"tenant's {row.period:%Y-%m}", status=row.status, wanted="not rated yet: begin later")


def stored(terms: Terms) -> dict[str, Any]:
    """The columns of `Statement` that keep the terms."""
    values = asdict(terms)
    del values["plan"]
    return values


def _terms(row: tuple[Any, ...], period: date) -> Terms:
    tenant_id, currency, time_zone, *rest = row
    starts_at, ends_at = months.bounds(period, time_zone)
    return Terms(tenant_id, period, currency, time_zone, starts_at, ends_at, *rest)

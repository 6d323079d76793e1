"""What the running month costs so far, and where it leads if it goes on like this."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS

from apikit.currencies import rounded
from billing import months, rating
from billing.books import commits_of
from billing.statements.contracts import MINIMUM, TAX, Line, Totals
from billing.statements.drafting import preview
from billing.statements.groups import groups_of_sums
from billing.statements.terms import terms_of

NOTHING = Decimal(0)
_TICK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Spend:
    """The month so far as a statement would have it, without tax; `forecast` goes on at the month's own rate."""

    period: date
    currency: str
    time_zone: str
    lines: tuple[Line, ...]
    totals: Totals
    forecast: Decimal


def spend_of(tenant_id: UUID, *, now: datetime | None = None, using: str = DEFAULT_DB_ALIAS) -> Spend:
    """The tenant's running month, in the tenant in force."""
    moment = now or datetime.now(UTC)
    terms = terms_of([tenant_id], period=months.containing(moment, "UTC"), using=using)[tenant_id]
    period = months.containing(moment, terms.time_zone)
    terms = terms_of([tenant_id], period=period, using=using)[tenant_id]
    commit = commits_of([(tenant_id, terms.currency, terms.starts_at, None)], using=using).get(tenant_id, NOTHING)
    groups = groups_of_sums(tenant_id, period=period, using=using)
    lines, totals = preview(terms, groups, minimum=commit, using=using)
    passed, whole = moment - terms.starts_at, terms.ends_at - terms.starts_at
    own = rating.total(line.amount for line in lines if line.kind not in (MINIMUM, TAX))
    used = Fraction(own) * (whole // _TICK) / max(1, passed // _TICK)
    forecast = rounded(max(used, Fraction(commit)), terms.currency)
    return Spend(period, terms.currency, terms.time_zone, tuple(lines), totals, forecast)

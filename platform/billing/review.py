"""What finance looks at: reads over all tenants, by the role `finance` where the installation has one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections

from billing.stripe.amounts import from_minor


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; what is empty is not asked for."""

    period: date
    tenant_id: UUID | None = None
    engine: str = ""
    meter: str = ""
    kind: str = ""
    job: str = ""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One entry."""

    occurred_at: datetime
    tenant_id: UUID
    subject_id: UUID
    kind: str
    meter: str
    engine: str
    model: str
    mode: str
    feature: str
    raw_quantity: int
    billable_quantity: int
    unit_price: Decimal
    unit_size: int
    amount: Decimal
    currency: str
    book_version: int
    origin_period: date


@dataclass(frozen=True, slots=True)
class LedgerSum:
    """A sum in one currency: of costs, or of what was billed."""

    is_cost: bool
    currency: str
    amount: Decimal
    entries: int


@dataclass(frozen=True, slots=True)
class MonthFacts:
    """What a month still waits for."""

    closed: bool
    content_hash: str
    holds: int
    adjustments: int


@dataclass(frozen=True, slots=True)
class BookRow:
    """One price or cost book."""

    version: int
    kind: str
    currency: str
    plan: str
    tenant: str
    effective_from: datetime
    status: str
    created_by: str
    approved_by: str | None
    note: str


@dataclass(frozen=True, slots=True)
class RateRow:
    """One rate of a table of exchange rates: one `currency` is `rate` of `into`."""

    version: int
    effective_from: date
    currency: str
    into: str
    rate: Decimal
    source: str
    created_by: str
    approved_by: str | None


@dataclass(frozen=True, slots=True)
class BilledJob:
    """What of a job stands in the ledger."""

    tenant_id: UUID
    subject_created_at: datetime
    currency: str


_WANTED = """FROM public.usage_entry
 WHERE period = %(period)s AND livemode AND (%(tenant_id)s::uuid IS NULL OR tenant_id = %(tenant_id)s)
   AND (%(engine)s = '' OR engine = %(engine)s) AND (%(meter)s = '' OR meter = %(meter)s)
   AND (%(kind)s = '' OR kind = %(kind)s) AND (%(job)s = '' OR subject_id::text = %(job)s)"""
_LEDGER = f"""SELECT {", ".join(field.name for field in fields(LedgerRow))} {_WANTED}
 ORDER BY occurred_at DESC, subject_id, meter, kind, sequence OFFSET %(offset)s LIMIT %(limit)s"""
_LEDGER_SUMS = f"""SELECT kind = 'cost', currency, sum(amount), count(*) {_WANTED}
 GROUP BY 1, 2 ORDER BY 1, 2"""
_FACTS = """SELECT coalesce((SELECT status = 'closed' FROM public.billing_period WHERE period = %(period)s), false),
  coalesce((SELECT content_hash FROM public.billing_period WHERE period = %(period)s), ''),
  (SELECT count(*) FROM public.hold WHERE created_at < %(period)s::date + interval '1 month'),
  (SELECT count(*) FROM public.adjustment WHERE status = 'requested'
    AND created_at < %(period)s::date + interval '1 month')"""
_BOOKS = """SELECT version, kind, currency, plan, coalesce(tenant_id::text, ''), effective_from, status, created_by,
   approved_by, note FROM public.price_book ORDER BY version DESC LIMIT 100000"""
_PRICES = """SELECT engine, model, mode, feature, meter, unit_price, unit_size, included, tier_mode
  FROM public.price AS p JOIN public.price_book AS b ON b.id = p.book_id WHERE b.version = %s
 ORDER BY engine, model, mode, feature, meter"""
_WALLETS = "SELECT tenant_id, currency, balance, held, credit_limit FROM public.wallet ORDER BY tenant_id LIMIT 100000"
_RECEIVABLES = """SELECT s.tenant_id, s.id, s.period, coalesce(i.number, ''),
   coalesce(i.status, CASE WHEN c.state = 'failed' THEN 'failed' ELSE s.status END), s.currency, s.due, i.paid_minor,
   i.credited_minor, i.disputed_minor, i.lost_minor, i.attempts, i.next_attempt_at, coalesce(c.error, '')
  FROM public.statement AS s LEFT JOIN public.stripe_invoice AS i ON i.statement_id = s.id
  LEFT JOIN public.stripe_call AS c ON c.subject_id = s.id AND c.kind = 'push'
 WHERE s.status IN ('approved', 'pushed', 'closed') ORDER BY s.period DESC, s.id LIMIT 100000"""
_AUDIT = """SELECT created_at, actor, action, subject, address, before::text, after::text FROM public.audit_entry
 WHERE strpos(lower(actor), lower(%s)) > 0 AND strpos(lower(action), lower(%s)) > 0
   AND strpos(lower(subject), lower(%s)) > 0 ORDER BY created_at DESC, id DESC OFFSET %s LIMIT %s"""
_RATES = """SELECT t.version, t.effective_from, r.currency, r.into, r.rate, t.source, t.created_by, t.approved_by
  FROM public.fx_table AS t JOIN public.fx_rate AS r ON r.table_id = t.id
 ORDER BY t.version DESC, r.currency, r.into LIMIT 100000"""
_JOB = """SELECT tenant_id, subject_created_at, currency FROM public.usage_entry
 WHERE subject_id = %s AND kind = 'usage' AND livemode LIMIT 1"""
_DAYS = """SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day, sum(amount) FROM public.usage_entry
 WHERE period = %s AND livemode AND kind <> 'cost' AND currency = %s GROUP BY day ORDER BY day"""


def ledger_rows(wanted: Wanted, *, offset: int, limit: int) -> list[LedgerRow]:
    """The newest first."""
    return [LedgerRow(*row) for row in _read(_LEDGER, {**_values(wanted), "offset": offset, "limit": limit})]


def ledger_sums(wanted: Wanted) -> list[LedgerSum]:
    """Of all entries that are wanted: what was billed, and what it cost, in each currency."""
    return [LedgerSum(*row) for row in _read(_LEDGER_SUMS, _values(wanted))]


def month_facts(period: date) -> MonthFacts:
    """Whether the month's metering is complete, and what may still change it."""
    return MonthFacts(*_read(_FACTS, {"period": period})[0])


def book_rows() -> list[BookRow]:
    """The newest first."""
    return [BookRow(*row) for row in _read(_BOOKS, [])]


def price_rows(version: int) -> list[tuple[Any, ...]]:
    """A book's prices: engine, model, mode, feature, meter, unit price, unit size, included, kind of tiers."""
    return _read(_PRICES, [version])


def rate_rows() -> list[RateRow]:
    """The newest table first."""
    return [RateRow(*row) for row in _read(_RATES, [])]


def billed_job(subject_id: UUID) -> BilledJob | None:
    """Whose job it was and when it was accepted; None where the ledger knows no usage of it."""
    return next((BilledJob(*row) for row in _read(_JOB, [subject_id])), None)


def wallet_rows() -> list[tuple[Any, ...]]:
    """Tenant, currency, balance, held, credit limit."""
    return _read(_WALLETS, [])


def receivable_rows() -> list[tuple[Any, ...]]:
    """Tenant, statement, month, invoice, status, currency, due, paid, credited, disputed, lost, attempts, next,
    error."""
    return [
        (*row[:7], *(None if one is None else from_minor(one, row[5]) for one in row[7:11]), *row[11:])
        for row in _read(_RECEIVABLES, [])
    ]


def audit_rows(
    actor: str = "", action: str = "", subject: str = "", *, offset: int, limit: int
) -> list[tuple[Any, ...]]:
    """Time, actor, action, subject, address, before, after of those that hold the words; the newest first."""
    return _read(_AUDIT, [actor, action, subject, offset, limit])


def usage_by_day(period: date, *, currency: str) -> list[tuple[date, Decimal]]:
    """What each day (UTC) of the month brought in, in one currency."""
    return [(day, amount) for day, amount in _read(_DAYS, [period, currency])]


def _values(wanted: Wanted) -> dict[str, Any]:
    return {field.name: getattr(wanted, field.name) for field in fields(wanted)}


def _read(sql: str, values: Sequence[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
    with connections[settings.FINANCE_READS].cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

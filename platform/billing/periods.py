"""Billing months: made ahead as partitions, closed under a lock, proven by a hash."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from django.db import connections, transaction
from django.db.models.functions import Now

from billing.contracts import ClosedPeriod
from billing.errors import PeriodNotOver
from billing.models import BillingPeriod
from events.facade import record_audit

LOCK_CLASS = 7_265_003  # the same number as in the function parlance_open_period
# Settling waits behind a waiting close, so a close gives up rather than stall it behind a long transaction.
LOCK_TIMEOUT = "5s"

# Canonical rows: COPY's text form of whole numbers, ids and decimals, in the key's order; no session setting or
# collation changes a byte. Entries lie by their subject's day, so every partition is asked by its index on the month.
_ROWS = """COPY (
  SELECT (extract(epoch FROM subject_created_at) * 1000000)::bigint, subject_id, meter, kind, sequence, tenant_id,
    livemode, api_key_id, engine, model, mode, raw_quantity, billable_quantity, unit_price, unit_size, amount,
    currency, book_version, (extract(epoch FROM occurred_at) * 1000000)::bigint,
    (extract(epoch FROM recorded_at) * 1000000)::bigint, (origin_period - date '2000-01-01')
  FROM public.usage_entry WHERE period = %(period)s
  ORDER BY subject_created_at, subject_id, meter COLLATE "C", kind COLLATE "C", sequence
) TO STDOUT"""

# Where it is earliest: closed before, that tenant's last hours would be late usage of the next month.
_OVER = """SELECT zone, now() AT TIME ZONE zone >= %(period)s::date + interval '1 month'
  FROM (SELECT time_zone FROM public.tenant UNION SELECT 'UTC') AS known (zone)
 ORDER BY now() AT TIME ZONE zone LIMIT 1"""


def make_partitions(*, back: int = 1, ahead: int = 3, using: str = "system") -> int:
    """Make the ledger's months that are missing, from `back` months ago on; returns how many were made."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT public.parlance_make_ledger_partitions(%s, %s)", [back, ahead])
        return int(cursor.fetchone()[0])


def close_period(period: date, *, actor: str = "operator", using: str = "system") -> ClosedPeriod:
    """Close the month that begins on this day: from here on it is immutable. Again: the same answer.

    Raises `PeriodNotOver` while it goes on in some tenant's time zone, and `OperationalError` when running settlements
    do not end within 5 s: repeat it then.
    """
    if period.day != 1:
        raise ValueError("a billing month is named by its first day")
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, period.year * 100 + period.month])
        closed = _closed(period, using=using)
        if closed is None:
            _check_over(cursor, period)
            closed = _close(cursor, period, using=using)
            record_audit(
                "period.closed", actor=actor, subject=period.isoformat(), tenant_id=None, using=using,
                after={"entries": closed.entries, "content_hash": closed.content_hash},
            )  # fmt: skip
    return closed


def content_of(cursor: Any, period: date) -> tuple[int, str]:
    """How many entries count in the month, and the SHA-256 of their canonical rows."""
    digest, entries = hashlib.sha256(), 0
    with cursor.copy(_ROWS, {"period": period}) as copy:
        for block in copy:
            digest.update(block)
            entries += bytes(block).count(b"\n")  # COPY escapes line ends inside values
    return entries, digest.hexdigest()


def _closed(period: date, *, using: str) -> ClosedPeriod | None:
    row = BillingPeriod.objects.using(using).filter(period=period, status=BillingPeriod.Status.CLOSED).first()
    if row is None:
        return None
    assert row.closed_at is not None
    assert row.entries is not None
    return ClosedPeriod(row.period, row.closed_at, row.entries, row.content_hash)


def _check_over(cursor: Any, period: date) -> None:
    cursor.execute(_OVER, {"period": period})
    time_zone, over = cursor.fetchone()
    if not over:
        raise PeriodNotOver(period, time_zone=time_zone)


def _close(cursor: Any, period: date, *, using: str) -> ClosedPeriod:
    entries, content_hash = content_of(cursor, period)
    BillingPeriod.objects.using(using).update_or_create(
        period=period,
        defaults={
            "status": BillingPeriod.Status.CLOSED,
            "closed_at": Now(),
            "entries": entries,
            "content_hash": content_hash,
        },
    )
    closed = _closed(period, using=using)
    assert closed is not None
    return closed

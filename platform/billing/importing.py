"""Entries in bulk: usage that was metered elsewhere, or replayed. What is there already changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from billing import rating
from billing.contracts import Price
from billing.errors import WrongEntry

BATCH = 5_000
DIGITS = 9  # of a price that is stored
CLOCKS_DIFFER = timedelta(minutes=5)
MONTHS_BACK = 120  # of a job that is imported: its month gets a partition
_CURRENCIES = "SELECT id, currency FROM public.tenant WHERE id = ANY(%s)"
_MADE = """SELECT public.parlance_make_ledger_partitions(ago, 0) FROM (
  SELECT (extract(year FROM age) * 12 + extract(month FROM age))::int + 1 AS ago
    FROM age(date_trunc('month', now()), date_trunc('month', %s::timestamptz)) AS age) AS back
 WHERE ago BETWEEN 1 AND %s"""


@dataclass(frozen=True, slots=True)
class ImportedEntry:
    """One `usage` entry; its key is the ledger's: (subject_created_at, subject_id, meter, sequence)."""

    subject_created_at: datetime
    subject_id: UUID
    meter: str
    sequence: int
    tenant_id: UUID
    api_key_id: UUID | None
    engine: str
    model: str
    mode: str
    raw_quantity: int
    billable_quantity: int
    unit_price: Decimal
    unit_size: int
    amount: Decimal
    currency: str
    book_version: int
    occurred_at: datetime


_FIELDS = tuple(ImportedEntry.__dataclass_fields__)
_ROW = attrgetter(*_FIELDS)
_TYPES = (
    "timestamptz", "uuid", "text", "int", "uuid", "uuid", "text", "text", "text", "bigint", "bigint", "numeric",
    "bigint", "numeric", "text", "int", "timestamptz",
)  # fmt: skip
_SHAPE = ", ".join(f"{name} {of}" for name, of in zip(_FIELDS, _TYPES, strict=True))
# One text for the whole batch: an array for each column costs the client several times as much.
_encode = json.JSONEncoder(default=str, separators=(",", ":")).encode
# Months are looked up, and locked, once each: in order, so that two imports never wait for each other.
_ADD = f"""WITH dated AS MATERIALIZED (
  SELECT s.*, date_trunc('month', s.occurred_at AT TIME ZONE t.time_zone)::date AS origin
    FROM json_to_recordset(%s::json) AS s ({_SHAPE}) JOIN public.tenant AS t ON t.id = s.tenant_id
), opened AS MATERIALIZED (
  SELECT origin, public.parlance_open_period(origin) AS period
    FROM (SELECT DISTINCT origin FROM dated ORDER BY origin) AS origins
)
INSERT INTO public.usage_entry ({", ".join(_FIELDS)}, kind, livemode, period, origin_period)
SELECT {", ".join(f"dated.{name}" for name in _FIELDS)}, 'usage', true, opened.period, dated.origin
  FROM dated JOIN opened USING (origin)
ON CONFLICT DO NOTHING"""  # noqa: S608  # constants only


def import_entries(entries: Iterable[ImportedEntry], *, using: str = "system") -> int:
    """Add what is new, a batch of 5,000 in a transaction; how many were added. It may be repeated after a crash.

    Raises `WrongEntry`, having added nothing of that entry's batch, where a statement could not be made of it.
    """
    added, batch = 0, []
    for entry in entries:
        batch.append(entry)
        if len(batch) == BATCH:
            added += _add(batch, using=using)
            batch = []
    return added + (_add(batch, using=using) if batch else 0)


def _add(batch: Sequence[ImportedEntry], *, using: str) -> int:
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(_CURRENCIES, [list({entry.tenant_id for entry in batch})])
        currencies = dict(cursor.fetchall())
        for entry in batch:
            _check(entry, currency=currencies.get(entry.tenant_id))
        _make_room(cursor, min(batch, key=attrgetter("subject_created_at")))
        cursor.execute(_ADD, [_encode([dict(zip(_FIELDS, _ROW(entry), strict=True)) for entry in batch])])
        return int(cursor.rowcount)


def _make_room(cursor: Any, oldest: ImportedEntry) -> None:
    if oldest.subject_created_at >= datetime.now(UTC) - timedelta(days=28):
        return  # the sweeper makes these
    cursor.execute(_MADE, [oldest.subject_created_at, MONTHS_BACK])
    if cursor.fetchone() is None:
        raise WrongEntry(oldest.subject_id, f"its job is older than {MONTHS_BACK // 12} years")


def _check(entry: ImportedEntry, *, currency: str | None) -> None:
    """The ledger forgets nothing: what could never be rated must not get in."""
    if currency is None:
        raise WrongEntry(entry.subject_id, f"there is no tenant {entry.tenant_id}")
    if entry.currency != currency:
        raise WrongEntry(entry.subject_id, f"it is in {entry.currency}, and its tenant is billed in {currency}")
    if max(entry.subject_created_at, entry.occurred_at) > datetime.now(UTC) + CLOCKS_DIFFER:
        raise WrongEntry(entry.subject_id, "it is of a time to come")
    if entry.raw_quantity < 0 or entry.billable_quantity < 0 or entry.unit_size < 1 or entry.unit_price < 0:
        raise WrongEntry(entry.subject_id, "a quantity and a price are at least 0, a unit at least 1")
    if entry.unit_price != round(entry.unit_price, DIGITS):
        raise WrongEntry(entry.subject_id, f"its price has more than {DIGITS} decimals: write it per a larger unit")
    price = Price(entry.engine, entry.model, entry.mode, entry.meter, entry.unit_price, entry.unit_size)
    amount = rating.amount_of(price, entry.billable_quantity)
    if entry.amount != amount:
        raise WrongEntry(
            entry.subject_id,
            f"its amount is {rating.shown(entry.amount)}, and quantity and price make {rating.shown(amount)}",
        )

"""A finished job's hold becomes ledger entries and, with a wallet, a debit: in the transaction of the finish, once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from billing import rating
from billing.books import book_of_version
from billing.contracts import NO_CURRENCY, Book, Cost, MeasuredLine
from billing.errors import HoldMissing
from billing.holds import locked_hold
from billing.queries import cost_of

# One statement, so that entries, hold and wallet move together. The wallet pays for rows that this statement added.
_SETTLE = """
WITH at AS MATERIALIZED (
  SELECT occurred_at, origin, public.parlance_open_period(origin) AS period FROM (
    SELECT occurred_at, public.parlance_origin_month(%(tenant_id)s::uuid, occurred_at) AS origin
      FROM (SELECT coalesce(%(occurred_at)s::timestamptz, now()) AS occurred_at) AS moment
  ) AS origins
), gone AS (
  DELETE FROM public.hold WHERE job_id = %(job_id)s RETURNING amount, on_wallet
), added AS (
  INSERT INTO public.usage_entry (subject_created_at, subject_id, tenant_id, livemode, api_key_id, currency,
    book_version, on_wallet, occurred_at, period, origin_period, kind, sequence, engine, model, mode, meter,
    raw_quantity, billable_quantity, unit_price, unit_size, amount)
  SELECT %(subject_created_at)s, %(job_id)s, %(tenant_id)s, true, %(api_key_id)s, %(currency)s, %(version)s,
    coalesce((SELECT on_wallet FROM gone), false), at.occurred_at, at.period, at.origin, line.*
    FROM at, unnest(%(kinds)s::text[], %(sequences)s::int[], %(engines)s::text[], %(models)s::text[],
      %(modes)s::text[], %(meters)s::text[], %(raws)s::bigint[], %(billables)s::bigint[],
      %(unit_prices)s::numeric[], %(unit_sizes)s::bigint[], %(amounts)s::numeric[]) AS line
  ON CONFLICT DO NOTHING RETURNING amount
)
UPDATE public.wallet SET held = held - gone.amount, balance = balance - due.amount
  FROM gone, (SELECT coalesce(sum(amount), 0) AS amount FROM added) AS due
 WHERE wallet.tenant_id = %(tenant_id)s AND gone.on_wallet"""


# One line of a job whose hold is its price, inside the statement that finishes the job.
SETTLE = """public.parlance_settle(%(job_id)s, %(tenant_id)s, %(api_key_id)s, %(created_at)s, %(charge_engine)s,
 %(charge_model)s, %(charge_mode)s, %(charge_meter)s, %(charge_raw)s::bigint, %(charge_billable)s::bigint,
 %(charge_price)s::numeric, %(charge_unit)s::bigint, %(charge_amount)s::numeric)"""


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    sequence: int
    engine: str
    model: str
    mode: str
    meter: str
    raw: int
    billable: int
    unit_price: Decimal
    unit_size: int
    amount: Decimal


def settle(
    job_id: UUID,
    *,
    tenant_id: UUID,
    livemode: bool,
    api_key_id: UUID | None,
    subject_created_at: datetime,
    lines: Sequence[MeasuredLine],
    occurred_at: datetime | None = None,
) -> Cost:
    """Bill a job and return its cost, never above its hold; the same call again changes nothing and returns the same.

    `occurred_at` is the database's clock unless given; it decides the billing month. A test key's job costs nothing.
    Raises `NoPrice`, and `HoldMissing` for a live job that was released or never accepted.
    """
    if not livemode:
        return Cost(Decimal(0), NO_CURRENCY)
    hold = locked_hold(job_id)
    if hold is None:
        return _settled_before(job_id, subject_created_at=subject_created_at)
    entries = _entries(book_of_version(hold.book_version), lines=lines, limit=hold.amount)
    shared: dict[str, Any] = {
        "job_id": job_id, "tenant_id": tenant_id, "api_key_id": api_key_id, "occurred_at": occurred_at,
        "subject_created_at": subject_created_at, "currency": hold.currency, "version": hold.book_version,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, shared | _columns(entries))
    return Cost(rating.total(entry.amount for entry in entries), hold.currency)


def charge(version: int, line: MeasuredLine, *, livemode: bool) -> tuple[Cost, dict[str, Any]]:
    """What the one line of a job costs, and what `SETTLE` takes beside ids and times; raises `NoPrice`."""
    book = book_of_version(version)
    entry = _rated(book, line, sequence=0)
    values = {
        "charge_engine": entry.engine, "charge_model": entry.model, "charge_mode": entry.mode,
        "charge_meter": entry.meter, "charge_raw": entry.raw, "charge_billable": entry.billable,
        "charge_price": entry.unit_price, "charge_unit": entry.unit_size,
        "charge_amount": entry.amount if livemode else None,
    }  # fmt: skip
    return Cost(entry.amount, book.currency) if livemode else Cost(Decimal(0), NO_CURRENCY), values


def _settled_before(job_id: UUID, *, subject_created_at: datetime) -> Cost:
    cost = cost_of(job_id, subject_created_at=subject_created_at)
    if cost is None:
        raise HoldMissing(job_id)
    return cost


def _entries(book: Book, *, lines: Sequence[MeasuredLine], limit: Decimal) -> list[_Entry]:
    entries = [_rated(book, line, sequence=sequence) for sequence, line in enumerate(lines)]
    above = rating.difference(rating.total(entry.amount for entry in entries), limit)
    return [*entries, *_waived(entries, above)] if above > 0 else entries


def _rated(book: Book, line: MeasuredLine, *, sequence: int) -> _Entry:
    price = rating.price_for(book, line)
    billable = rating.billable_quantity(price, line.quantity, channels=line.channels)
    return _Entry(
        "usage", sequence, line.engine, line.model, line.mode, line.meter, line.quantity, billable,
        price.unit_price, price.unit_size, rating.amount_of(price, billable),
    )  # fmt: skip


def _waived(entries: Sequence[_Entry], above: Decimal) -> Iterator[_Entry]:
    """The part above the hold is ours: lines stay exact, one entry takes the difference back."""
    last = entries[-1]
    yield _Entry(
        "adjust", 0, last.engine, last.model, last.mode, last.meter, 0, 0, last.unit_price, last.unit_size, -above
    )


def _columns(entries: Sequence[_Entry]) -> dict[str, list[Any]]:
    return {
        "kinds": [entry.kind for entry in entries],
        "sequences": [entry.sequence for entry in entries],
        "engines": [entry.engine for entry in entries],
        "models": [entry.model for entry in entries],
        "modes": [entry.mode for entry in entries],
        "meters": [entry.meter for entry in entries],
        "raws": [entry.raw for entry in entries],
        "billables": [entry.billable for entry in entries],
        "unit_prices": [entry.unit_price for entry in entries],
        "unit_sizes": [entry.unit_size for entry in entries],
        "amounts": [entry.amount for entry in entries],
    }

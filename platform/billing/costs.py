"""What providers charge for their calls: `cost` entries of the ledger, the operator's alone, each in its own currency.

An entry is named by job, attempt and unit: the same call booked again changes nothing. It is of the month in which the
tenant was then, like what the tenant pays for the same call. Its price is the cost book's; where no book has one, the
list price that the caller knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from billing import rating
from billing.books import cost_books_in_force
from billing.contracts import NO_CURRENCY, Book, MeasuredLine
from billing.errors import NoPrice

_ADD = """INSERT INTO public.usage_entry (subject_created_at, subject_id, tenant_id, livemode, api_key_id,
   occurred_at, period, origin_period, kind, sequence, engine, model, mode, meter, raw_quantity, billable_quantity,
   unit_price, unit_size, amount, currency, book_version)
 SELECT %(subject_created_at)s, %(job_id)s, %(tenant_id)s, true, %(api_key_id)s, at.moment,
   public.parlance_open_period(at.origin), at.origin, 'cost', %(attempt)s, line.*
  FROM (SELECT moment, public.parlance_origin_month(%(tenant_id)s, moment)
    FROM (SELECT coalesce(%(occurred_at)s, now())) AS given (moment)) AS at (moment, origin),
   unnest(%(engines)s::text[], %(models)s::text[], %(modes)s::text[], %(units)s::text[], %(raws)s::bigint[],
     %(billables)s::bigint[], %(prices)s::numeric[], %(sizes)s::bigint[], %(amounts)s::numeric[],
     %(currencies)s::text[], %(versions)s::int[]) AS line
 ON CONFLICT DO NOTHING"""


@dataclass(frozen=True, slots=True)
class CostLine:
    """What a provider counted for one call; `amount` by its list price, None where the caller knows none."""

    engine: str
    model: str
    unit: str
    quantity: int
    currency: str = NO_CURRENCY
    amount: Decimal | None = None
    mode: str = "batch"


class _Priced(NamedTuple):
    """A line's columns, in the order of the statement above."""

    engine: str
    model: str
    mode: str
    unit: str
    raw: int
    billable: int
    unit_price: Decimal
    unit_size: int
    amount: Decimal
    currency: str
    version: int


def record_costs(
    job_id: UUID,
    *,
    tenant_id: UUID,
    livemode: bool,
    api_key_id: UUID | None,
    subject_created_at: datetime,
    attempt: int,
    lines: Sequence[CostLine],
    occurred_at: datetime | None = None,
) -> None:
    """Book a call's costs, in the caller's transaction. A test key's job never reaches a provider: nothing is booked.

    Of a line whose price is not known the units are kept, with an amount of nothing in no currency.
    """
    if not livemode or not lines:
        return
    names = ("engines", "models", "modes", "units", "raws", "billables", "prices", "sizes", "amounts", "currencies",
             "versions")  # fmt: skip
    books = cost_books_in_force()
    columns = zip(*[_priced(line, books) for line in lines], strict=True)
    values = {
        "job_id": job_id, "tenant_id": tenant_id, "api_key_id": api_key_id, "subject_created_at": subject_created_at,
        "attempt": attempt, "occurred_at": occurred_at,
        **{name: list(column) for name, column in zip(names, columns, strict=True)},
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_ADD, values)


def _priced(line: CostLine, books: Sequence[Book]) -> _Priced:
    """By the newest cost book that prices it, else as the caller does, else with its units alone.

    >>> from billing.contracts import Price
    >>> own = Price("e", "", "batch", "input_tokens", Decimal(3), 1_000_000)
    >>> book = Book(7, "USD", {own.key: own})
    >>> _priced(CostLine("e", "m", "input_tokens", 500), [book])[5:]
    (500, Decimal('3'), 1000000, Decimal('0.001500000'), 'USD', 7)
    >>> _priced(CostLine("e", "m", "audio_ms", 500, "EUR", Decimal("0.1")), [book])[5:]
    (500, Decimal('0'), 1, Decimal('0.1'), 'EUR', 0)
    >>> _priced(CostLine("e", "m", "audio_ms", 500), [book])[8:]
    (Decimal('0'), 'XXX', 0)
    """
    measured = MeasuredLine(line.engine, line.model, line.mode, line.unit, line.quantity)
    shape = line.engine, line.model, line.mode, line.unit, line.quantity
    for book in books:
        try:
            price = rating.price_for(book, measured)
        except NoPrice:
            continue
        billable = rating.billable_quantity(price, line.quantity)
        amount = rating.amount_of(price, billable)
        return _Priced(*shape, billable, price.unit_price, price.unit_size, amount, book.currency, book.version)
    known = line.amount is not None
    return _Priced(
        *shape, line.quantity, Decimal(0), 1, line.amount or Decimal(0), line.currency if known else NO_CURRENCY, 0
    )

"""What providers charge for their calls: `cost` entries of the ledger, the operator's alone, each in its own currency.

An entry is named by job, attempt and unit: the same call booked again changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection

from billing.contracts import NO_CURRENCY

_ADD = """INSERT INTO public.usage_entry (subject_created_at, subject_id, tenant_id, livemode, api_key_id, currency,
   book_version, occurred_at, period, origin_period, kind, sequence, engine, model, mode, meter, raw_quantity,
   billable_quantity, unit_price, unit_size, amount)
 SELECT %(subject_created_at)s, %(job_id)s, %(tenant_id)s, true, %(api_key_id)s, line.currency, 0, at.now,
   public.parlance_open_period(at.origin), at.origin, 'cost', %(attempt)s, line.engine, line.model, 'batch', line.unit,
   line.quantity, line.quantity, 0, 1, line.amount
  FROM (SELECT now(), date_trunc('month', now() AT TIME ZONE 'UTC')::date) AS at (now, origin),
   unnest(%(engines)s::text[], %(models)s::text[], %(units)s::text[], %(quantities)s::bigint[], %(currencies)s::text[],
     %(amounts)s::numeric[]) AS line (engine, model, unit, quantity, currency, amount)
 ON CONFLICT DO NOTHING"""


@dataclass(frozen=True, slots=True)
class CostLine:
    """What a provider counted for one call, and what it charges for that; `amount` None: its price is not known."""

    engine: str
    model: str
    unit: str
    quantity: int
    currency: str = NO_CURRENCY
    amount: Decimal | None = None


def record_costs(
    job_id: UUID,
    *,
    tenant_id: UUID,
    livemode: bool,
    api_key_id: UUID | None,
    subject_created_at: datetime,
    attempt: int,
    lines: Sequence[CostLine],
) -> None:
    """Book a call's costs, in the caller's transaction. A test key's job never reaches a provider: nothing is booked.

    Of a line whose price is not known the units are kept, with an amount of nothing in no currency.
    """
    if not livemode or not lines:
        return
    known = [line.amount is not None for line in lines]
    values = {
        "job_id": job_id, "tenant_id": tenant_id, "api_key_id": api_key_id, "subject_created_at": subject_created_at,
        "attempt": attempt, "engines": [line.engine for line in lines], "models": [line.model for line in lines],
        "units": [line.unit for line in lines], "quantities": [line.quantity for line in lines],
        "currencies": [line.currency if priced else NO_CURRENCY for line, priced in zip(lines, known, strict=True)],
        "amounts": [line.amount or Decimal(0) for line in lines],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_ADD, values)

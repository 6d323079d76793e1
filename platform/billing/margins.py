"""Margin: what was billed less what providers charged, in the statement's currency, with the rate on the line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connections

from apikit.currencies import rounded

_SUMS = """SELECT engine, currency, coalesce(sum(amount) FILTER (WHERE kind <> 'cost'), 0),
   coalesce(sum(amount) FILTER (WHERE kind = 'cost'), 0)
  FROM public.usage_entry WHERE period = %s AND livemode AND meter <> 'money' GROUP BY engine, currency
 ORDER BY engine, currency"""
# The table in force at the month's end.
_RATE = """SELECT t.version, r.rate FROM public.fx_table AS t JOIN public.fx_rate AS r ON r.table_id = t.id
 WHERE t.approved_by IS NOT NULL AND t.effective_from < %(end)s AND r.currency = %(currency)s AND r.into = %(into)s
 ORDER BY t.effective_from DESC, t.version DESC LIMIT 1"""
_END = "SELECT (%s::date + interval '1 month')::date"


@dataclass(frozen=True, slots=True)
class Converted:
    """An amount in another currency, and the rate and table version that made it; 1 and None for its own currency."""

    currency: str
    amount: Decimal
    rate: Decimal
    table: int | None
    converted: Decimal


@dataclass(frozen=True, slots=True)
class Margin:
    """One engine's month in one currency. `missing` names currencies without a rate: nothing of them is added."""

    engine: str
    currency: str
    revenue: tuple[Converted, ...]
    cost: tuple[Converted, ...]
    margin: Decimal
    missing: tuple[str, ...]


def margins(period: date, *, currency: str, using: str = "system") -> list[Margin]:
    """Every engine's margin of the month, in `currency`."""
    with connections[using].cursor() as cursor:
        cursor.execute(_SUMS, [period])
        rows = cursor.fetchall()
        engines = sorted({row[0] for row in rows})
        rates = _rates(cursor, {row[1] for row in rows}, period=period, into=currency)
    return [_margin(engine, [row[1:] for row in rows if row[0] == engine], currency, rates) for engine in engines]


def _rates(cursor: Any, currencies: set[str], *, period: date, into: str) -> dict[str, tuple[int | None, Decimal]]:
    found: dict[str, tuple[int | None, Decimal]] = {into: (None, Decimal(1))}
    cursor.execute(_END, [period])
    end = cursor.fetchone()[0]
    for currency in currencies - {into}:
        cursor.execute(_RATE, {"end": end, "currency": currency, "into": into})
        row = cursor.fetchone()
        if row is not None:
            found[currency] = row
    return found


def _margin(
    engine: str, rows: list[tuple[str, Decimal, Decimal]], into: str, rates: dict[str, tuple[int | None, Decimal]]
) -> Margin:
    revenue = [
        _converted(currency, amount, into, rates[currency])
        for currency, amount, _ in rows
        if amount and currency in rates
    ]
    cost = [
        _converted(currency, amount, into, rates[currency])
        for currency, _, amount in rows
        if amount and currency in rates
    ]
    missing = tuple(currency for currency, billed, spent in rows if (billed or spent) and currency not in rates)
    margin = sum((one.converted for one in revenue), Decimal(0)) - sum((one.converted for one in cost), Decimal(0))
    return Margin(engine, into, tuple(revenue), tuple(cost), margin, missing)


def _converted(currency: str, amount: Decimal, into: str, rate: tuple[int | None, Decimal]) -> Converted:
    table, factor = rate
    return Converted(currency, amount, factor, table, rounded(Fraction(amount) * Fraction(factor), into))

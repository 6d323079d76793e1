"""Computes a statement again from its export (`GET /v1/statements/{id}/export?format=jsonl`), in exact fractions.

The rules are the platform's: quantities are summed per price, cut into portions by included usage and tiers, and each
portion is rounded once, half away from zero, to the currency's own digits.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from parlance._errors import ParlanceError

# ISO 4217: how many digits an amount has; every other currency has two.
_DIGITS = {code: digits for codes, digits in (
    ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 0),
    ("BHD IQD JOD KWD LYD OMR TND", 3), ("CLF UYW", 4),
) for code in codes.split()}  # fmt: skip
_DIMENSIONS = ("meter", "engine", "model", "mode", "feature")
_PRECISION = 76  # the default of 28 digits would round sums of numeric(38,9)

Shape = Mapping[str, Any]
Price = tuple[int, Fraction, int]  # book version, unit price, unit size


class BillError(ParlanceError):
    """The export is none that can be checked."""

    code = "bill_not_checked"


@dataclass(frozen=True)
class RecomputedStatement:
    """The sums as computed here; `matches` says whether the statement's own are the same, `stated` what those are."""

    statement_id: str
    currency: str
    entries: int
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    stated: Mapping[str, Decimal]

    @property
    def matches(self) -> bool:
        return self.stated == {"subtotal": self.subtotal, "tax": self.tax, "total": self.total}


def recompute_statement(export: str | bytes | Iterable[str]) -> RecomputedStatement:
    """The statement computed from its entries and prices alone; raises `BillError` for what is no export.

    `export`: the text of the JSON lines, or an open file of them.
    """
    try:
        objects = _objects(export)
        (statement,) = objects["statement"]
        with localcontext() as context:
            context.prec = _PRECISION
            return _recomputed(statement, objects["price"], objects["statement_entry"])
    except (KeyError, ValueError, TypeError, ArithmeticError, StopIteration) as error:
        raise BillError(f"This is no export of a statement in JSON lines ({type(error).__name__}).") from None


def _objects(export: str | bytes | Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    text = export.decode("utf-8") if isinstance(export, bytes) else export
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in text.split("\n") if isinstance(text, str) else text:
        if line.strip():
            shape = json.loads(line)
            found[shape["object"]].append(shape)
    return found


def _recomputed(statement: Shape, prices: Sequence[Shape], entries: Sequence[Shape]) -> RecomputedStatement:
    currency = statement["currency"]
    if statement.get("entries", len(entries)) != len(entries):
        raise ValueError("the export was cut: fetch it again")
    if any(entry["currency"] != currency for entry in entries):
        raise ValueError("entries of several currencies")
    exact = [*_adjusted(entries), *_late(entries, statement["period"]), *_own(entries, statement["period"], prices)]
    amounts = [_rounded(one, currency) for one in exact]
    subtotal = sum(amounts, Decimal(statement["minimum"] or 0))
    tax = _rounded(Fraction(subtotal) * Fraction(statement["tax_percent"]) / 100, currency)
    stated = {name: Decimal(statement[name]) for name in ("subtotal", "tax", "total")}
    return RecomputedStatement(statement["id"], currency, len(entries), subtotal, tax, subtotal + tax, stated)


def _rounded(exact: Fraction, currency: str) -> Decimal:
    """
    >>> [str(_rounded(Fraction(raw), code)) for raw, code in (("0.005", "USD"), ("-0.5", "KRW"), ("0.3333", "KWD"))]
    ['0.01', '-1', '0.333']
    """
    digits = _DIGITS.get(currency, 2)
    units = int(abs(exact) * 10**digits + Fraction(1, 2))
    return Decimal(units if exact >= 0 else -units).scaleb(-digits)


def _is_adjusted(entry: Shape) -> bool:
    return entry["kind"] == "adjust" or (entry["kind"] == "reversal" and not entry["billable_quantity"])


def _dimensions(entry: Shape) -> tuple[str, ...]:
    return tuple(entry[name] for name in _DIMENSIONS)


def _price(entry: Shape) -> Price:
    return entry["book_version"], Fraction(entry["unit_price"]), entry["unit_size"]


def _adjusted(entries: Iterable[Shape]) -> Iterator[Fraction]:
    """Adjustments have amounts, not quantities; what a person asked for is a line of its own."""
    found: dict[Any, Fraction] = defaultdict(Fraction)
    for entry in filter(_is_adjusted, entries):
        subject = entry["subject_id"] if entry["meter"] == "money" else None
        found[_dimensions(entry), _price(entry), entry["origin_period"], subject] += Fraction(entry["amount"])
    yield from found.values()


def _late(entries: Iterable[Shape], period: str) -> Iterator[Fraction]:
    """Usage of months that were closed: at its own price, outside of the tiers."""
    found: dict[Any, int] = defaultdict(int)
    for entry in entries:
        if not _is_adjusted(entry) and entry["origin_period"] != period:
            found[_dimensions(entry), _price(entry), entry["origin_period"]] += entry["billable_quantity"]
    for (_, (_, unit_price, unit_size), _), quantity in found.items():
        yield unit_price * quantity / unit_size


def _own(entries: Iterable[Shape], period: str, prices: Sequence[Shape]) -> Iterator[Fraction]:
    """The month's own usage; a new version of the prices goes on in the tiers where the one before stopped."""
    found: dict[tuple[str, ...], dict[Price, int]] = defaultdict(lambda: defaultdict(int))
    for entry in entries:
        if not _is_adjusted(entry) and entry["origin_period"] == period:
            found[_dimensions(entry)][_price(entry)] += entry["billable_quantity"]
    for dimensions, groups in found.items():
        before, month = 0, sum(groups.values())
        for price, quantity in sorted(groups.items()):
            yield from _portions(quantity, before, month, price, _terms(dimensions, price, prices))
            before += quantity


def _terms(dimensions: tuple[str, ...], price: Price, prices: Sequence[Shape]) -> Shape:
    """The line of the price book: the model's own, else the engine's."""
    meter, engine, model, mode, feature = dimensions
    for wanted in (model, ""):
        for one in prices:
            is_same = _dimensions(one) == (meter, engine, wanted, mode, feature)
            if is_same and (one["book_version"], Fraction(one["unit_price"]), one["unit_size"]) == price:
                return one
    return {"included": 0, "tier_mode": "", "tiers": []}


def _portions(quantity: int, before: int, month: int, price: Price, terms: Shape) -> Iterator[Fraction]:
    """Each portion that has a price of its own; `before` units were used earlier in the month."""
    _, unit_price, unit_size = price
    if quantity <= 0:
        yield unit_price * quantity / unit_size
        return
    included = terms["included"]
    start, paid = max(0, before - included), quantity - min(quantity, max(0, included - before))
    tiers = [(tier["up_to"], Fraction(tier["unit_price"])) for tier in terms["tiers"]]
    if not paid:
        return
    if terms["tier_mode"] == "graduated":
        yield from _graduated(start, start + paid, tiers, unit_size)
    elif terms["tier_mode"] == "volume":
        reached = max(0, month - included)
        yield next(each for up_to, each in tiers if up_to is None or reached <= up_to) * paid / unit_size
    elif terms["tier_mode"] == "package":
        yield unit_price * (-(-(start + paid) // unit_size) - -(-start // unit_size))
    else:
        yield unit_price * paid / unit_size


def _graduated(
    start: int, end: int, tiers: Sequence[tuple[int | None, Fraction]], unit_size: int
) -> Iterator[Fraction]:
    below = 0
    for up_to, each in tiers:
        top = end if up_to is None else min(end, up_to)
        yield each * max(0, top - max(start, below)) / unit_size
        below = below if up_to is None else up_to

"""From the ledger's sums to a statement's lines: pure, so that the same ledger and books give the same statement.

An amount is computed as an exact fraction over the whole line and rounded once, to the currency's own digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from apikit.currencies import floored, rounded
from billing import rating, tiers
from billing.contracts import Book, MeasuredLine, Price
from billing.errors import MixedCurrencies, NoPrice
from billing.statements.contracts import ADJUST, INCLUDED, LATE, MINIMUM, TAX, USAGE, Group, Line, Terms, Totals

BookOf = Callable[[int], Book | None]


def lines_of(terms: Terms, groups: Iterable[Group], *, book_of: BookOf, minimum: Decimal = Decimal(0)) -> list[Line]:
    """Every line of the month: usage by price, late usage, adjustments, the rest of a minimum commit, tax.

    The order of `groups`, and how entries were split over them, changes nothing. Raises `MixedCurrencies`.
    """
    found = sorted(groups, key=_order)
    for group in found:
        if group.currency != terms.currency:
            raise MixedCurrencies(group.currency, wanted=terms.currency)
    merged = [_merged(list(same)) for _, same in groupby(found, key=_order)]
    own = [group for group in merged if not group.adjusted and group.origin_period == terms.period]
    late = [group for group in merged if not group.adjusted and group.origin_period != terms.period]
    usage = [line for _, same in groupby(own, key=_price_line) for line in _usage(list(same), terms, book_of)]
    lines = [*usage, *(_late(group, terms) for group in late)]
    lines += [_adjustment(group, terms) for group in merged if group.adjusted]
    lines += _minimum(usage, minimum, terms)
    return [*lines, *_tax(lines, terms)]


def totals_of(terms: Terms, lines: Sequence[Line], groups: Iterable[Group]) -> Totals:
    """The statement's sums. A wallet has paid what it was debited, but neither tax nor the rest of a minimum."""
    tax = rating.total(line.amount for line in lines if line.kind == TAX)
    subtotal = rating.total(line.amount for line in lines if line.kind != TAX)
    used = rating.total(line.amount for line in lines if line.kind not in (TAX, MINIMUM))
    debited = rating.total(group.wallet_amount for group in groups)
    paid = min(used, floored(debited, terms.currency)) if debited else debited
    total = rating.total((subtotal, tax))
    return Totals(subtotal, tax, total, paid, rating.difference(total, paid))


def _order(group: Group) -> tuple[object, ...]:
    return (
        group.adjusted, *_price_line(group), group.origin_period, group.book_version, group.unit_price,
        group.unit_size, str(group.adjustment_id or ""),
    )  # fmt: skip


def _price_line(group: Group) -> tuple[str, ...]:
    return group.meter, group.engine, group.model, group.mode, group.feature


def _merged(same: Sequence[Group]) -> Group:
    first = same[0]
    return replace(
        first,
        quantity=sum(group.quantity for group in same),
        amount=rating.total(group.amount for group in same),
        wallet_amount=rating.total(group.wallet_amount for group in same),
        entries=sum(group.entries for group in same),
    )


def _usage(same: Sequence[Group], terms: Terms, book_of: BookOf) -> Iterator[Line]:
    """The lines of one engine, model, mode, feature and meter: versions in order, each going on in the tiers."""
    month, before = sum(group.quantity for group in same), 0
    for group in same:
        price = _price(group, book_of)
        parts = tiers.portions(
            group.quantity, unit_price=group.unit_price, unit_size=group.unit_size, included=price.included,
            mode=price.tier_mode, tiers=price.tiers, before=before, month=month,
        )  # fmt: skip
        before += group.quantity
        # The entries are told once, on the first line: Σ entries of the lines is the ledger's number.
        for ordinal, part in enumerate(parts or [tiers.Portion(0, 0, group.unit_price)]):
            yield _portion(group, part, terms, entries=0 if ordinal else group.entries)


def _price(group: Group, book_of: BookOf) -> Price:
    """The price line with its tiers; entries of a price that no book has (an import) are priced as they say."""
    plain = Price(
        group.engine, group.model, group.mode, group.meter, group.unit_price, group.unit_size, feature=group.feature
    )
    book = book_of(group.book_version)
    if book is None:
        return plain
    wanted = MeasuredLine(group.engine, group.model, group.mode, group.meter, 0, feature=group.feature)
    try:
        price = rating.price_for(book, wanted)
    except NoPrice:
        return plain
    return price if (price.unit_price, price.unit_size) == (group.unit_price, group.unit_size) else plain


def _portion(group: Group, part: tiers.Portion, terms: Terms, *, entries: int) -> Line:
    free = part.billed == 0 and part.quantity > 0
    amount = rounded(part.exact(group.unit_size), terms.currency)
    return _priced(
        INCLUDED if free else USAGE, group, terms, quantity=part.quantity, billed=part.billed,
        unit_price=part.unit_price, amount=amount, entries=entries, tier=part.label,
    )  # fmt: skip


def _late(group: Group, terms: Terms) -> Line:
    """Usage, or the reversal of usage, of a month that had been closed: at its own unit price, outside the tiers."""
    exact = Fraction(group.unit_price) * group.quantity / group.unit_size
    return _priced(
        LATE, group, terms, quantity=group.quantity, billed=group.quantity, unit_price=group.unit_price,
        amount=rounded(exact, terms.currency), entries=group.entries, tier="",
    )  # fmt: skip


def _priced(
    kind: str, group: Group, terms: Terms, *, quantity: int, billed: int, unit_price: Decimal, amount: Decimal,
    entries: int, tier: str,
) -> Line:  # fmt: skip
    what = " ".join(word for word in (group.engine, group.model, group.mode, group.feature) if word)
    month = f" of {group.origin_period:%Y-%m}" if kind == LATE else ""
    note = f" ({tier})" if tier else ""
    return Line(
        kind, f"{what}, {group.meter}{month}{note}",
        f"{billed} * {rating.shown(unit_price)} / {group.unit_size}", amount, quantity, entries, group.meter,
        group.engine, group.model, group.mode, group.feature, group.book_version, group.origin_period, None, unit_price,
        group.unit_size, group.unit_price, tier,
    )  # fmt: skip


def _adjustment(group: Group, terms: Terms) -> Line:
    asked = group.adjustment_id is not None
    return Line(
        ADJUST, "adjustment" if asked else f"{group.engine} {group.mode}: waived above what was held",
        f"Σ {group.entries} entries = {rating.shown(group.amount)}", rounded(group.amount, terms.currency), 0,
        group.entries, group.meter, group.engine, group.model, group.mode, group.feature, group.book_version,
        group.origin_period, group.adjustment_id, None, None, group.unit_price,
    )  # fmt: skip


def _minimum(usage: Sequence[Line], minimum: Decimal, terms: Terms) -> Iterator[Line]:
    spent = rating.total(line.amount for line in usage)
    missing = rating.difference(rounded(minimum, terms.currency), spent)
    if missing > 0:
        formula = f"{rating.shown(minimum)} - {rating.shown(spent)}"
        yield Line(MINIMUM, "rest of the minimum commit", formula, rounded(missing, terms.currency))


def _tax(lines: Sequence[Line], terms: Terms) -> Iterator[Line]:
    if not terms.tax_percent:
        return
    base = rating.total(line.amount for line in lines)
    percent = rating.shown(terms.tax_percent)
    amount = rounded(Fraction(base) * Fraction(terms.tax_percent) / 100, terms.currency)
    yield Line(TAX, f"{terms.tax_name or 'tax'} {percent} %", f"{rating.shown(base)} * {percent} / 100", amount)

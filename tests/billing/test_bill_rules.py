"""What never changes a bill: the order of entries, how they are batched, and where they are split."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikit.currencies import EXPONENTS, rounded
from billing import rating, tiers
from billing.contracts import Book, Price
from billing.seeds import BOOKS
from billing.statements.canonical import content_hash
from billing.statements.contracts import Group, Line, Terms
from billing.statements.lines import lines_of, totals_of
from billing.tiers import Tier

MONTH = date(2026, 10, 1)
STEPS = (Tier(1_000, Decimal("0.5")), Tier(50_000, Decimal("0.0123")), Tier(None, Decimal("0.000000001")))
PRICES = [
    Price("plain", "", "batch", "audio_ms", Decimal("0.0123"), 1_000),
    Price("free", "", "batch", "audio_ms", Decimal("0.006"), 60_000, included=90_000),
    Price("steps", "", "batch", "audio_ms", Decimal("0.5"), 1_000, tier_mode="graduated", tiers=STEPS, included=10),
    Price("volume", "", "batch", "audio_ms", Decimal("0.5"), 1_000, tier_mode="volume", tiers=STEPS),
    Price("packs", "", "batch", "audio_ms", Decimal(7), 60_000, tier_mode="package", included=1),
]
BOOK = Book(1, "USD", {price.key: price for price in PRICES})


def terms(currency: str = "USD", percent: str = "0") -> Terms:
    start, end = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    return Terms(UUID(int=1), MONTH, currency, "UTC", start, end, "㈜한국", tax_percent=Decimal(percent))


def group(price: Price, quantity: int, *, currency: str = "USD", origin: date = MONTH, version: int = 1) -> Group:
    return Group(
        price.meter, price.engine, price.model, price.mode, price.feature, currency, version, price.unit_price,
        price.unit_size, origin, False, None, quantity, rating.amount_of(price, abs(quantity)), Decimal(0), 1,
    )  # fmt: skip


bill = partial(lines_of, book_of=lambda _: BOOK)
USES = st.lists(
    st.tuples(st.sampled_from(PRICES), st.integers(1, 200_000), st.sampled_from([MONTH, date(2026, 9, 1)])), max_size=12
)
CURRENCIES = st.sampled_from(["USD", "KRW", "KWD"])


def _check_that_splitting_changes_nothing(uses: Any, currency: str, seed: int, percent: str) -> None:
    made = terms(currency, percent)
    whole = [group(price, quantity, currency=currency, origin=origin) for price, quantity, origin in uses]
    dice, parts = random.Random(seed), []
    for price, quantity, origin in uses:
        cut = dice.randint(0, quantity)
        parts += [group(price, part, currency=currency, origin=origin) for part in (cut, quantity - cut) if part]
    dice.shuffle(parts)
    lines, again = bill(made, whole), bill(made, parts)
    assert [(line.amount, line.quantity) for line in lines] == [(line.amount, line.quantity) for line in again]
    totals = totals_of(made, lines, whole)
    assert totals.total == rating.total(line.amount for line in lines) == totals.subtotal + totals.tax
    digits = EXPONENTS[currency]
    assert all(line.amount == round(line.amount, digits) for line in lines)
    assert content_hash(made, lines) == content_hash(made, bill(made, list(reversed(whole))))


ARGUMENTS = (USES, CURRENCIES, st.integers(0, 2**32), st.sampled_from(["0", "10", "7.25"]))


@settings(max_examples=300)
@given(*ARGUMENTS)
def test_order_batching_and_splitting_never_change_a_bill(uses: Any, currency: str, seed: int, percent: str) -> None:
    _check_that_splitting_changes_nothing(uses, currency, seed, percent)


@pytest.mark.long
@settings(max_examples=10_000)
@given(*ARGUMENTS)
def test_ten_thousand_bills(uses: Any, currency: str, seed: int, percent: str) -> None:
    _check_that_splitting_changes_nothing(uses, currency, seed, percent)


@settings(max_examples=200)
@given(st.integers(1, 10**9), st.integers(0, 10**9), st.sampled_from(PRICES))
def test_a_change_of_the_book_in_the_middle_goes_on_in_the_tiers(quantity: int, cut: int, price: Price) -> None:
    parts = partial(
        tiers.portions, unit_price=price.unit_price, unit_size=price.unit_size, included=price.included,
        mode=price.tier_mode, tiers=price.tiers, month=quantity,
    )  # fmt: skip
    first = min(cut, quantity)
    split = [*parts(first), *parts(quantity - first, before=first)]
    assert sum(part.exact(price.unit_size) for part in split) == sum(
        (part.exact(price.unit_size) for part in parts(quantity)), Fraction(0)
    )


@pytest.mark.parametrize(("price", "currency", "quantity", "amount"), [
    ("0.0123", "KRW", 1_000_000, "12"),
    ("0.0123", "KRW", 40_650, "0"),
    ("0.0123", "KRW", 40_651, "1"),
    ("0.0123", "USD", 1_000_000, "12.30"),
    ("0.0123", "KWD", 1_234_567, "15.185"),
])  # fmt: skip
def test_an_amount_is_rounded_once_to_the_currencys_own_digits(
    price: str, currency: str, quantity: int, amount: str
) -> None:
    each = Price("e", "", "batch", "audio_ms", Decimal(price), 1_000)
    (line,) = lines_of(terms(currency), [group(each, quantity, currency=currency)], book_of=lambda _: None)
    assert line.amount == Decimal(amount)


def test_what_is_missing_to_the_minimum_is_a_line_before_tax() -> None:
    lines = bill(terms(percent="10"), [group(PRICES[0], 1_000_000)], minimum=Decimal(100))
    assert [(line.kind, str(line.amount)) for line in lines] == [
        ("usage", "12.30"), ("minimum", "87.70"), ("tax", "10.00"),
    ]  # fmt: skip


def test_included_usage_is_shown_and_costs_nothing() -> None:
    lines = bill(terms(), [group(PRICES[1], 150_000)])
    assert [(line.kind, line.quantity, str(line.amount)) for line in lines] == [
        ("included", 90_000, "0.00"), ("usage", 60_000, "0.01"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "price", [price for book in BOOKS for price in book.prices], ids=lambda p: f"{p.engine}-{p.mode}"
)
def test_every_engine_and_unit_costs_something_and_equals_the_ledger(price: Price) -> None:
    quantity = price.unit_size * 1_000_000
    entry = rating.amount_of(price, rating.billable_quantity(price, quantity))
    book = Book(1, "KRW", {price.key: price})
    lines: list[Line] = lines_of(terms("KRW"), [group(price, quantity, currency="KRW")], book_of=lambda _: book)
    assert entry > 0
    assert lines[0].amount == rounded(entry, "KRW") > 0


def test_a_ledger_of_another_currency_is_not_added_up() -> None:
    from billing.facade import MixedCurrencies

    with pytest.raises(MixedCurrencies, match="KRW"):
        bill(terms(), [group(PRICES[0], 1), group(PRICES[0], 1, currency="KRW")])


@pytest.mark.parametrize(("mode", "steps", "says"), [
    ("graduated", (), "have tiers"),
    ("", STEPS, "have tiers"),
    ("volume", STEPS[:2], "last tier"),
    ("graduated", (STEPS[1], STEPS[0], STEPS[2]), "above the one before"),
    ("stairs", (), "unknown"),
])  # fmt: skip
def test_tiers_that_do_not_cover_every_quantity_once_are_refused(mode: str, steps: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        tiers.check(mode, steps)

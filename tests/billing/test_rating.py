"""Rating is exact, and no order, batch or split changes what is counted."""

from __future__ import annotations

import doctest
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import rating
from billing.contracts import AUDIO_MS, Book, MeasuredLine, Price
from billing.errors import NoPrice

QUANTITIES = st.integers(min_value=0, max_value=10**12)
PRICES = st.builds(
    Price,
    engine=st.just("e"),
    model=st.just(""),
    mode=st.just("batch"),
    meter=st.just(AUDIO_MS),
    unit_price=st.integers(min_value=0, max_value=10**24).map(lambda nanos: Decimal(f"{nanos}E-9")),
    unit_size=st.integers(min_value=1, max_value=10**10),
    increment_ms=st.integers(min_value=1, max_value=60_000),
    minimum_ms=st.integers(min_value=0, max_value=60_000),
    per_channel=st.booleans(),
)


def exact(price: Price) -> Price:
    return Price("e", "", "batch", AUDIO_MS, price.unit_price, price.unit_size)


def test_the_documented_examples_hold() -> None:
    assert doctest.testmod(rating).failed == 0


@given(PRICES, QUANTITIES)
def test_an_amount_is_within_half_a_billionth_of_the_exact_fraction(price: Price, billable: int) -> None:
    amount = rating.amount_of(price, billable)

    assert abs(Fraction(amount) - Fraction(price.unit_price) * billable / price.unit_size) <= Fraction(1, 2 * 10**9)
    assert amount.as_tuple().exponent == -9


@given(PRICES, QUANTITIES, st.integers(min_value=1, max_value=5))
def test_an_amount_does_not_depend_on_the_threads_decimal_context(price: Price, billable: int, prec: int) -> None:
    with localcontext() as context:
        context.prec = prec
        narrow = rating.amount_of(price, billable)

    assert narrow == rating.amount_of(price, billable)


@given(PRICES, QUANTITIES, st.integers(min_value=1, max_value=8))
def test_what_is_billed_covers_what_was_measured(price: Price, quantity: int, channels: int) -> None:
    billable = rating.billable_quantity(price, quantity, channels=channels)
    per_channel = billable // (channels if price.per_channel else 1)

    assert per_channel >= quantity
    assert per_channel % price.increment_ms == 0
    assert quantity == 0 or per_channel >= price.minimum_ms
    assert quantity == 0 or per_channel - max(quantity, price.minimum_ms) < price.increment_ms


@given(PRICES, st.lists(QUANTITIES, max_size=20), st.randoms(use_true_random=False))
def test_order_and_splitting_never_change_the_sum_of_quantities(price: Price, parts: list[int], random: object) -> None:
    shuffled = sorted(parts, key=lambda _: random.random())  # type: ignore[attr-defined]
    quantities = [rating.billable_quantity(exact(price), part) for part in shuffled]

    assert sum(quantities) == rating.billable_quantity(exact(price), sum(parts))


@given(PRICES, st.lists(QUANTITIES, min_size=1, max_size=20))
def test_splitting_moves_an_amount_by_less_than_a_billionth_per_part(price: Price, parts: list[int]) -> None:
    split = rating.total(rating.amount_of(price, part) for part in parts)
    whole = rating.amount_of(price, sum(parts))

    assert abs(Fraction(split) - Fraction(whole)) <= Fraction(len(parts) + 1, 2 * 10**9)


@given(st.lists(st.integers(min_value=-(10**37), max_value=10**37), max_size=30))
def test_a_total_of_the_widest_amounts_is_exact(nanos: list[int]) -> None:
    assert rating.total(Decimal(f"{nano}E-9") for nano in nanos) == Decimal(f"{sum(nanos)}E-9")


@given(st.integers(min_value=-(10**37), max_value=10**37))
def test_a_shown_amount_reads_back_as_itself(nanos: int) -> None:
    amount = Decimal(f"{nanos}E-9")
    text = rating.shown(amount)

    assert Decimal(text) == amount
    assert "E" not in text


@given(PRICES, PRICES, QUANTITIES)
def test_a_hold_covers_whichever_price_applies_in_the_end(one: Price, other: Price, quantity: int) -> None:
    book = Book(1, "USD", {("e", "", "batch", AUDIO_MS): one, ("e", "large", "sync", AUDIO_MS): other})
    held = rating.hold_amount(book, engines=["e"], meter=AUDIO_MS, quantity=quantity)

    for price in book.prices.values():
        assert held >= rating.amount_of(price, rating.billable_quantity(price, quantity))


def test_a_models_own_price_comes_before_the_engines() -> None:
    base = Price("e", "", "batch", AUDIO_MS, Decimal(1), 1)
    large = Price("e", "large", "batch", AUDIO_MS, Decimal(2), 1)
    book = Book(1, "USD", {price.key: price for price in (base, large)})

    assert rating.price_for(book, MeasuredLine("e", "large", "batch", AUDIO_MS, 1)) is large
    assert rating.price_for(book, MeasuredLine("e", "small", "batch", AUDIO_MS, 1)) is base


def test_a_missing_price_names_engine_and_currency() -> None:
    with pytest.raises(NoPrice, match=r"Engine e has no price for audio_ms in KRW"):
        rating.price_for(Book(1, "KRW", {}), MeasuredLine("e", "", "batch", AUDIO_MS, 1))


@pytest.mark.parametrize(("quantity", "channels"), [(-1, 1), (1, 0)])
def test_it_refuses_a_measurement_that_cannot_be(quantity: int, channels: int) -> None:
    with pytest.raises(ValueError, match="at least"):
        rating.billable_quantity(Price("e", "", "batch", AUDIO_MS, Decimal(1), 1), quantity, channels=channels)

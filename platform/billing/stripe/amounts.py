"""Money as Stripe's API writes it: whole numbers of a unit that is not always ISO 4217's smallest. Pure.

Source: docs.stripe.com/currencies. What Stripe cannot collect exactly is rounded down, in the customer's favour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from apikit.currencies import exponent
from billing.stripe.errors import NotCollectable

# The API's number is the amount itself. MGA has two digits in ISO 4217, but none at Stripe.
_ZERO_DECIMAL = frozenset({
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG",
    "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
})  # fmt: skip
_THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])  # in thousandths, and the last digit must be 0
_HUNDREDFOLD = frozenset({"ISK"})  # no minor unit, and still two digits in the API, which must be 00
# Not presentable at Stripe; of UGX its own pages say two different things, so a charge could be a hundredfold.
_REFUSED = frozenset(["IQD", "LYD", "CLF", "UYW", "IRR", "KPW", "CUP", "SYP", "UGX"])
_WIDE = Context(prec=76)


def _scale(currency: str) -> tuple[int, int]:
    """(units of the API per one of the currency, step in such units)."""
    if currency in _REFUSED:
        raise NotCollectable(currency)
    if currency in _ZERO_DECIMAL:
        return 1, 1
    if currency in _THREE_DECIMAL:
        return 1000, 10
    if currency in _HUNDREDFOLD:
        return 100, 100
    if exponent(currency) != 2:
        raise NotCollectable(currency)
    return 100, 1


def to_minor(amount: Decimal, currency: str) -> int:
    """The API's number for the amount, at most the amount itself. Raises `NotCollectable`.

    >>> [to_minor(Decimal(a), c) for a, c in (("10.99", "USD"), ("500", "KRW"), ("5.124", "KWD"), ("7", "ISK"))]
    [1099, 500, 5120, 700]
    """
    per_one, step = _scale(currency)
    return int(Fraction(amount) * per_one // step) * step


def from_minor(number: int, currency: str) -> Decimal:
    """The amount behind the API's number.

    >>> [str(from_minor(n, c)) for n, c in ((1099, "usd"), (500, "krw"), (5120, "kwd"))]
    ['10.99', '500', '5.12']
    """
    per_one, _ = _scale(currency.upper())
    return _WIDE.divide(Decimal(number), Decimal(per_one))


def is_exact(amount: Decimal, currency: str) -> bool:
    """Whether Stripe can collect exactly this amount.

    >>> is_exact(Decimal("5.120"), "KWD"), is_exact(Decimal("5.124"), "KWD")
    (True, False)
    """
    return from_minor(to_minor(amount, currency), currency) == amount


def spread(amounts: Iterable[Decimal], currency: str) -> Iterator[int]:
    """The API's number for each of several amounts; their sum is the number for the sum of the amounts.

    >>> list(spread([Decimal("0.004"), Decimal("0.004"), Decimal("0.004")], "KWD"))
    [0, 0, 10]
    >>> list(spread([Decimal("0.50"), Decimal("-0.20")], "USD"))
    [50, -20]
    """
    exact, told = Fraction(0), 0
    for amount in amounts:
        exact += Fraction(amount)
        reached = _floor(exact, currency)
        yield reached - told
        told = reached


def _floor(exact: Fraction, currency: str) -> int:
    per_one, step = _scale(currency)
    return int(exact * per_one // step) * step


def floor_to_step(amount: Decimal, currency: str) -> Decimal:
    """What Stripe collects of the amount."""
    return from_minor(to_minor(amount, currency), currency).quantize(Decimal(1).scaleb(-9), rounding=ROUND_FLOOR)

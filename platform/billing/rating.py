"""From measured quantity and price to money: pure, exact, and the only place that multiplies.

>>> per_minute = Price("e", "", "batch", "audio_ms", Decimal("0.006"), 60_000)
>>> amount_of(per_minute, billable_quantity(per_minute, 1_000))
Decimal('0.000100000')
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from functools import reduce

from billing.contracts import Book, MeasuredLine, Price
from billing.errors import NoPrice

NANOS = 10**9  # numeric(38,9): one unit of a currency is a billion of the smallest amount that is stored
_WIDE = Context(prec=76)  # the default of 28 digits would round a sum of numeric(38,9)


def billable_quantity(price: Price, quantity: int, *, channels: int = 1) -> int:
    """What is paid for: at least the minimum, rounded up to the increment, each channel like a file of its own.

    >>> quarter = Price("e", "", "batch", "audio_ms", Decimal(1), 60_000, increment_ms=15_000, minimum_ms=20_000)
    >>> [billable_quantity(quarter, ms) for ms in (0, 1, 30_000, 30_001)]
    [0, 30000, 30000, 45000]
    >>> stereo = Price("e", "", "batch", "audio_ms", Decimal(1), 60_000, per_channel=True)
    >>> billable_quantity(stereo, 1_500, channels=2)
    3000
    """
    if quantity < 0 or channels < 1:
        raise ValueError("a measured quantity is at least 0, with at least one channel")
    if quantity == 0:
        return 0
    steps = -(-max(quantity, price.minimum_ms) // price.increment_ms)
    return steps * price.increment_ms * (channels if price.per_channel else 1)


def amount_of(price: Price, billable: int) -> Decimal:
    """The amount at nine digits, rounded once, half even, from the exact fraction.

    >>> third = Price("e", "", "batch", "audio_ms", Decimal("0.01"), 3)
    >>> amount_of(third, 1), amount_of(third, 3)
    (Decimal('0.003333333'), Decimal('0.010000000'))
    >>> tie = Price("e", "", "batch", "characters", Decimal("0.000000001"), 2)
    >>> [amount_of(tie, n) for n in (1, 3)]
    [Decimal('0E-9'), Decimal('2E-9')]
    """
    numerator, denominator = price.unit_price.as_integer_ratio()
    denominator *= price.unit_size
    nanos, rest = divmod(numerator * billable * NANOS, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and nanos % 2):
        nanos += 1
    return Decimal(f"{nanos}E-9")


def price_for(book: Book, line: MeasuredLine) -> Price:
    """The model's own price, else the engine's; raises `NoPrice`."""
    for model in (line.model, ""):
        price = book.prices.get((line.engine, model, line.mode, line.meter, line.feature))
        if price is not None:
            return price
    raise NoPrice(line.engine, meter=line.meter, currency=book.currency)


def hold_amount(
    book: Book, *, engines: Sequence[str], meter: str, quantity: int, channels: int = 1, mode: str | None = None
) -> Decimal:
    """What the dearest of the engines, over its models and modes (or of one mode), would cost; raises `NoPrice`.

    >>> cheap = Price("a", "", "batch", "audio_ms", Decimal("0.001"), 60_000)
    >>> dear = Price("b", "", "batch", "audio_ms", Decimal("0.009"), 60_000, minimum_ms=10_000)
    >>> book = Book(1, "USD", {p.key: p for p in (cheap, dear)})
    >>> hold_amount(book, engines=["a", "b"], meter="audio_ms", quantity=1)
    Decimal('0.001500000')
    """
    return max(_dearest(book, engine, meter, quantity, channels, mode) for engine in engines)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum, whatever the decimal context of the thread."""
    return reduce(_WIDE.add, amounts, Decimal("0E-9"))


def difference(minuend: Decimal, subtrahend: Decimal) -> Decimal:
    """The exact difference."""
    return _WIDE.subtract(minuend, subtrahend)


def negated(amount: Decimal) -> Decimal:
    """The exact opposite: the minus sign would round to the thread's context."""
    return amount.copy_negate()


def shown(amount: Decimal) -> str:
    """A decimal string without exponent or trailing zeros.

    >>> [shown(Decimal(raw)) for raw in ("0.000110000", "12.000000000", "100", "-0.500", "0E-9")]
    ['0.00011', '12', '100', '-0.5', '0']
    """
    text = f"{amount:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) if amount else "0"


def _dearest(book: Book, engine: str, meter: str, quantity: int, channels: int, mode: str | None) -> Decimal:
    amounts = [
        amount_of(price, billable_quantity(price, quantity, channels=channels))
        for price in book.prices.values()
        if price.engine == engine and price.meter == meter and mode in (None, price.mode) and not price.feature
    ]
    if not amounts:
        raise NoPrice(engine, meter=meter, currency=book.currency)
    return max(amounts)

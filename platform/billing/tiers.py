"""A month's quantity cut into portions that have one price each: included usage and tiers. Pure.

Quantities count from the first unit of the month: `before` units of the same price line were used under earlier
versions of the book, so a new version goes on where the old one stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

GRADUATED = "graduated"  # each unit has its own tier's price
VOLUME = "volume"  # the month's whole quantity has the price of the tier it reaches
PACKAGE = "package"  # whole packages of `unit_size` are paid
MODES = ("", GRADUATED, VOLUME, PACKAGE)


@dataclass(frozen=True, slots=True)
class Tier:
    """`unit_price` up to and including `up_to` units of the month; None for all above."""

    up_to: int | None
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class Portion:
    """`quantity` units at one price; `billed` is what is multiplied (whole packages may be more)."""

    quantity: int
    billed: int
    unit_price: Decimal
    label: str = ""

    def exact(self, unit_size: int) -> Fraction:
        """The amount before it is rounded."""
        return Fraction(self.unit_price) * self.billed / unit_size


def portions(
    quantity: int,
    *,
    unit_price: Decimal,
    unit_size: int,
    included: int = 0,
    mode: str = "",
    tiers: tuple[Tier, ...] = (),
    before: int = 0,
    month: int | None = None,
) -> list[Portion]:
    """The portions of `quantity` units, in order. `month` is the whole month's quantity (volume tiers look at it).

    A quantity below zero, a correction, has one portion at the first price.

    >>> steps = (Tier(100, Decimal(3)), Tier(None, Decimal(2)))
    >>> [(p.quantity, str(p.unit_price)) for p in portions(
    ...     150, unit_price=Decimal(3), unit_size=1, included=20, mode="graduated", tiers=steps)]
    [(20, '0'), (100, '3'), (30, '2')]
    >>> [(p.billed, str(p.unit_price)) for p in portions(
    ...     150, unit_price=Decimal(3), unit_size=1, mode="volume", tiers=steps)]
    [(150, '2')]
    >>> [(p.quantity, p.billed) for p in portions(150, unit_price=Decimal(3), unit_size=100, mode="package")]
    [(150, 200)]
    """
    if quantity <= 0:
        return [Portion(quantity, quantity, unit_price)] if quantity else []
    free = min(quantity, max(0, included - before))
    paid, start = quantity - free, max(0, before - included)
    found = [Portion(free, 0, Decimal(0), f"included, of {included}")] if free else []
    if not paid:
        return found
    if mode == GRADUATED and tiers:
        return [*found, *_graduated(start, start + paid, tiers)]
    if mode == VOLUME and tiers:
        whole = max(0, (before + quantity if month is None else month) - included)
        tier = next(tier for tier in tiers if tier.up_to is None or whole <= tier.up_to)
        return [*found, Portion(paid, paid, tier.unit_price, _label(tier))]
    if mode == PACKAGE:
        packages = -(-(start + paid) // unit_size) - -(-start // unit_size)
        return [*found, Portion(paid, packages * unit_size, unit_price, f"packages: {packages}")]
    return [*found, Portion(paid, paid, unit_price)]


def check(mode: str, tiers: tuple[Tier, ...]) -> None:
    """ValueError, saying what to do, for tiers that do not cover every quantity once."""
    if mode not in MODES:
        raise ValueError(f"tier_mode {mode!r} is unknown. Use graduated, volume, package, or leave it out.")
    if (mode in (GRADUATED, VOLUME)) != bool(tiers):
        raise ValueError("graduated and volume prices have tiers, others have none")
    ends = [tier.up_to for tier in tiers]
    if tiers and (ends[-1] is not None or None in ends[:-1]):
        raise ValueError("only the last tier, and always that one, has no up_to")
    known = [0, *(end for end in ends if end is not None)]
    if known != sorted(set(known)):
        raise ValueError("each tier's up_to is above the one before it")
    if any(tier.unit_price < 0 for tier in tiers):
        raise ValueError("a tier's price is at least 0")


def _graduated(start: int, end: int, tiers: tuple[Tier, ...]) -> Iterator[Portion]:
    below = 0
    for tier in tiers:
        top = end if tier.up_to is None else min(end, tier.up_to)
        quantity = top - max(start, below)
        if quantity > 0:
            yield Portion(quantity, quantity, tier.unit_price, _label(tier))
        below = below if tier.up_to is None else tier.up_to


def _label(tier: Tier) -> str:
    return "above the tiers before" if tier.up_to is None else f"up to {tier.up_to}"

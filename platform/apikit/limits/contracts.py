"""Values of rate limits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

Meter = Literal["requests", "audio_seconds", "characters"]
METERS: Final[tuple[Meter, ...]] = get_args(Meter)
Limit = Meter | Literal["concurrency"]  # so many requests under way at the same moment
LIMITS: Final[tuple[Limit, ...]] = (*METERS, "concurrency")
MAX_PERIOD_S: Final = 86_400  # longer ones are budgets, which the ledger keeps
MAX_QUOTA: Final = 1_000_000_000
MAX_AT_ONCE: Final = 100_000
_PERIODS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_FORM: Final = re.compile(r"^(?P<quota>\d+)/(?P<period>\d+|second|minute|hour|day)$")


@dataclass(frozen=True, slots=True)
class Rate:
    """`quota` per `period_s`; all of it may be used at once after a pause. Period 0: so many at the same moment."""

    quota: int
    period_s: int

    @classmethod
    def parse(cls, text: str) -> Rate:
        """A rate as people write it; raises ValueError, which says how.

        >>> Rate.parse("600/minute"), Rate.parse("20/30")
        (Rate(quota=600, period_s=60), Rate(quota=20, period_s=30))
        """
        found = _FORM.match(text)
        period = _PERIODS.get(found["period"]) or int(found["period"]) if found else 0
        if not found or not 1 <= int(found["quota"]) <= MAX_QUOTA or not 1 <= period <= MAX_PERIOD_S:
            raise ValueError(f"{text!r} is no rate. Write it like 600/minute, 36000/hour or 20/30 (seconds).")
        return cls(int(found["quota"]), period)

    @classmethod
    def at_once(cls, text: str) -> Rate:
        """A limit of concurrency as people write it; raises ValueError, which says how.

        >>> Rate.at_once("20")
        Rate(quota=20, period_s=0)
        """
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_AT_ONCE):
            raise ValueError(f"{text!r} is no limit of concurrency. Write a number from 1 to {MAX_AT_ONCE}.")
        return cls(int(text), 0)

    def __str__(self) -> str:
        return f"{self.quota}/{self.period_s}" if self.period_s else str(self.quota)


Rates = Mapping[Limit, Rate]
NO_RATES: Final[Rates] = {}


def parse_rates(stored: Mapping[str, Any]) -> Rates:
    """Rates as they were stored; raises ValueError for an unknown meter, because a limit must not be lost silently.

    >>> parse_rates({"requests": "600/60"})
    {'requests': Rate(quota=600, period_s=60)}
    """
    unknown = stored.keys() - set(LIMITS)
    if unknown:
        raise ValueError(f"unknown limits: {', '.join(sorted(unknown))}. Known: {', '.join(LIMITS)}.")
    return {name: _parse(name, str(stored[name])) for name in LIMITS if name in stored}


def _parse(name: Limit, text: str) -> Rate:
    return Rate.at_once(text) if name == "concurrency" else Rate.parse(text)


def stored_rates(rates: Rates) -> dict[str, str]:
    """What `parse_rates` reads."""
    return {meter: str(rate) for meter, rate in rates.items()}


def narrower_of(rates: Rates, bounds: Rates) -> Rates:
    """For each bounded meter the bound, or the rate where that gives less per second and no more at once.

    >>> narrower_of({"requests": Rate(5, 60)}, {"requests": Rate(10, 60), "characters": Rate(9, 1)})
    {'requests': Rate(quota=5, period_s=60), 'characters': Rate(quota=9, period_s=1)}
    """
    return {meter: _narrower(rates.get(meter, bound), bound) for meter, bound in bounds.items()}


def _narrower(rate: Rate, bound: Rate) -> Rate:
    slower = rate.quota * bound.period_s <= bound.quota * rate.period_s
    return rate if slower and rate.quota <= bound.quota else bound


@dataclass(frozen=True, slots=True)
class Place:
    """One of `limit` places that a request needs; `bucket` is who shares them, `name` what a client is told."""

    bucket: str
    name: str
    limit: int


@dataclass(frozen=True, slots=True)
class Charge:
    """So much of one meter against one rate; `bucket` is who shares it, `name` what a client is told."""

    bucket: str
    name: str
    rate: Rate
    cost: int


@dataclass(frozen=True, slots=True)
class Standing:
    """After a charge: what is left of each rate, in the order of the charges, and in how long all of it is back."""

    left: tuple[int, ...]
    full_again_s: tuple[int, ...]


class Limited(Exception):
    """Refused, and nothing was taken. `violated` are the names of the rates that are used up."""

    def __init__(
        self, charges: Sequence[Charge], *, violated: Sequence[str], wait_s: float, standing: Standing
    ) -> None:
        super().__init__(", ".join(violated))
        self.charges, self.violated, self.wait_s, self.standing = charges, tuple(violated), wait_s, standing

"""Values that cross the border of `billing`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from billing.tiers import Tier

AUDIO_MS = "audio_ms"
CHARACTERS = "characters"
METERS = (AUDIO_MS, CHARACTERS)
PROVIDER_UNITS = (*METERS, "input_tokens", "output_tokens")  # what cost books price: providers' own counts
BYOK = "byok"  # on the tenant's own credentials at a provider
MODES = ("batch", "stream", "sync", "cache", BYOK)
NO_CURRENCY = "XXX"  # ISO 4217's code for "no currency": what a test job costs


@dataclass(frozen=True, slots=True)
class MeasuredLine:
    """What one engine did for a job: audio milliseconds per channel, or code points."""

    engine: str
    model: str
    mode: str
    meter: str
    quantity: int
    channels: int = 1
    feature: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount with its ISO 4217 currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Price:
    """One line of a book: `unit_price` per `unit_size` of the meter. `model` "" prices every model.

    A `feature` is paid beside the work itself. `included` and `tiers` are of the whole month: entries and holds are at
    `unit_price`, statements at the tiers.
    """

    engine: str
    model: str
    mode: str
    meter: str
    unit_price: Decimal
    unit_size: int
    increment_ms: int = 1
    minimum_ms: int = 0
    per_channel: bool = False
    feature: str = ""
    included: int = 0
    tier_mode: str = ""
    tiers: tuple[Tier, ...] = ()

    @property
    def key(self) -> PriceKey:
        """What it prices."""
        return self.engine, self.model, self.mode, self.meter, self.feature


PriceKey = tuple[str, str, str, str, str]  # engine, model, mode, meter, feature


@dataclass(frozen=True, slots=True)
class Book:
    """An approved price book; it never changes."""

    version: int
    currency: str
    prices: Mapping[PriceKey, Price]
    minimum_commit: Decimal = Decimal(0)


class UsageLine(NamedTuple):
    """One group of a usage summary; `bucket_start` is None without buckets, and so is what was not asked by.

    `tag` is a tag's keyed hash. A tuple: a month by the hour has thousands, and a dataclass takes ten times as long.
    """

    bucket_start: datetime | None
    meter: str | None
    engine: str | None
    model: str | None
    mode: str | None
    api_key_id: UUID | None
    tag: bytes | None
    currency: str
    quantity: int
    amount: Decimal
    jobs: int


@dataclass(frozen=True, slots=True)
class UsageSummary:
    """A tenant's usage in a half-open time range; totals are per currency, never across."""

    lines: tuple[UsageLine, ...]
    totals: tuple[Cost, ...]


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """A closed month: how many entries count in it, and the SHA-256 over them."""

    period: date
    closed_at: datetime
    entries: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Two numbers that should be equal and are not."""

    what: str
    subject: str
    expected: str
    found: str

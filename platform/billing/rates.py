"""What engines cost at the prices in force, for choosing between them; bills are made by `rating`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from billing import rating
from billing.books import book_in_force, book_of_version
from billing.contracts import AUDIO_MS

HOUR_MS = 3_600_000


def hourly_rates(currency: str, *, tenant_id: UUID | None, mode: str = "batch") -> Mapping[str, Decimal]:
    """The price of an hour of audio by engine, or by `engine/model` where a model has its own; from memory mostly."""
    book = book_in_force(currency, tenant_id=tenant_id)
    return _rates(book.version, mode) if book else {}


@lru_cache(maxsize=64)  # an approved book never changes
def _rates(version: int, mode: str) -> Mapping[str, Decimal]:
    prices = [p for p in book_of_version(version).prices.values() if p.meter == AUDIO_MS and p.mode == mode]
    return {
        f"{price.engine}/{price.model}" if price.model else price.engine: rating.amount_of(
            price, rating.billable_quantity(price, HOUR_MS)
        )
        for price in prices
    }

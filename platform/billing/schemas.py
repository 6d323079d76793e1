"""Shapes of `/v1/usage` and `/v1/prices`. Money is a decimal string, always with its currency."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import BaseModel, Field

_TIME = "An RFC 3339 time with its offset. In a URL write `+` as `%2B`, or use `Z`."


class UsageQuery(Schema):
    """Which usage; every field may be left out."""

    from_: str | None = Field(None, alias="from", description=f"{_TIME} Default: the month's first moment (UTC).")
    to: str | None = Field(None, description=f"{_TIME} Not included itself. Default: now.")
    group: str | None = Field(None, description="`hour` or `day`; without it, one line for the whole range.")
    time_zone: str = Field("UTC", description="IANA name; decides where a day begins.")


class UsageLineOut(BaseModel):
    """One group; `start` is the beginning of its hour or day when one was asked for."""

    start: datetime | None = None
    meter: str
    engine: str
    mode: str
    quantity: int = Field(description="Billable audio milliseconds or code points.")
    amount: str
    currency: str
    jobs: int


class TotalOut(BaseModel):
    """The sum of one currency."""

    currency: str
    amount: str


class UsageOut(BaseModel):
    """Usage in the half-open range [from, to)."""

    object: Literal["usage"]
    from_: datetime = Field(alias="from")
    to: datetime
    time_zone: str
    data: list[UsageLineOut]
    totals: list[TotalOut]


class PriceOut(BaseModel):
    """`unit_price` per `unit_size` of the meter; `model` is empty when it prices every model of the engine."""

    engine: str
    model: str
    mode: str
    meter: str
    unit_price: str
    unit_size: int
    currency: str
    increment_ms: int
    minimum_ms: int
    per_channel: bool


class PricesOut(BaseModel):
    """The caller's prices for jobs accepted now."""

    object: Literal["list"]
    data: list[PriceOut]
    has_more: bool
    next_cursor: str | None
    version: int | None = Field(description="The price book's version; null when the currency has none yet.")

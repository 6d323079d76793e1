"""Shapes of `/v1/usage` and `/v1/prices`. Money is a decimal string, always with its currency."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import BaseModel, Field

from apikit.facade import MAX_LIMIT

_TIME = "An RFC 3339 time with its offset. In a URL write `+` as `%2B`, or use `Z`."


class UsageQuery(Schema):
    """Which usage; every field may be left out."""

    from_: str | None = Field(None, alias="from", description=f"{_TIME} Default: the month's first moment (UTC).")
    to: str | None = Field(None, description=f"{_TIME} Not included itself. Default: now.")
    group: str | None = Field(None, description="`hour` or `day`; without it, one line for the whole range.")
    time_zone: str = Field("UTC", description="IANA name; decides where a day begins.")
    by: str = Field(
        "meter,engine,mode", description="What lines are by: meter, engine, model, mode, key, tag, with commas between."
    )
    meter: str | None = Field(None, description="Only this meter.")
    engine: str | None = Field(None, description="Only this engine.")
    api_key: str | None = Field(None, description="Only this key (`key_…`).")
    tag: str | None = Field(None, description="Only jobs with this tag.")


class UsageLineOut(BaseModel):
    """One group; `start` is the beginning of its hour or day when one was asked for."""

    start: datetime | None = None
    meter: str | None = None
    engine: str | None = None
    model: str | None = None
    mode: str | None = None
    api_key_id: str | None = None
    tag: str | None = Field(None, description="The tag, or `erased` when its name was erased.")
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


class TierOut(BaseModel):
    """A price up to and including so many units of the month; null for all above."""

    up_to: int | None
    unit_price: str


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
    feature: str
    included: int = Field(description="The month's free quantity; what is above it is paid.")
    tier_mode: str = Field(description="graduated, volume, package, or empty: one price for every unit.")
    tiers: list[TierOut]


class PricesOut(BaseModel):
    """The caller's prices for jobs accepted now."""

    object: Literal["list"]
    data: list[PriceOut]
    has_more: bool
    next_cursor: str | None
    version: int | None = Field(description="The price book's version; null when the currency has none yet.")


class ListQuery(Schema):
    """One page of a list."""

    limit: int = Field(20, ge=1, le=MAX_LIMIT)
    cursor: str | None = None


class EntriesQuery(ListQuery):
    """Which entries."""

    line: int | None = Field(None, description="`ordinal` of a line; without it, all of the statement's entries.")


class ExportQuery(Schema):
    """In which form."""

    format: Literal["jsonl", "csv", "pdf"] = "jsonl"


class StatementLineOut(BaseModel):
    """A quantity at one price, rounded once. `kind`: usage, included, late, adjust, minimum or tax."""

    object: Literal["statement_line"]
    ordinal: int
    kind: str
    description: str
    formula: str
    amount: str
    quantity: int
    entries: int
    meter: str
    engine: str
    model: str
    mode: str
    feature: str
    book_version: int | None
    origin_period: str | None
    unit_price: str | None
    unit_size: int | None
    tier: str


class StatementHeadOut(BaseModel):
    """A month's bill. `due` is the total less what a wallet has paid; `content_hash` proves terms and lines."""

    object: Literal["statement"]
    id: str
    livemode: bool
    status: str
    period: str
    currency: str
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    legal_name: str
    address: str
    registration_number: str
    tax_name: str
    tax_percent: str
    entries: int
    subtotal: str
    tax: str
    total: str
    from_wallet: str
    due: str
    content_hash: str


class StatementOut(StatementHeadOut):
    """A bill with its lines."""

    lines: list[StatementLineOut]


class StatementsOut(BaseModel):
    """One page of bills, the newest first."""

    object: Literal["list"]
    data: list[StatementHeadOut]
    has_more: bool
    next_cursor: str | None


class StatementEntryOut(BaseModel):
    """One entry of the ledger. `kind`: usage, reversal or adjust."""

    object: Literal["statement_entry"]
    subject_id: str
    created_at: datetime
    kind: str
    sequence: int
    occurred_at: datetime
    meter: str
    engine: str
    model: str
    mode: str
    feature: str
    raw_quantity: int
    billable_quantity: int
    unit_price: str
    unit_size: int
    amount: str
    currency: str
    book_version: int
    origin_period: str
    on_wallet: bool


class StatementEntriesOut(BaseModel):
    """One page of entries, by time."""

    object: Literal["list"]
    data: list[StatementEntryOut]
    has_more: bool
    next_cursor: str | None


class SpendOut(BaseModel):
    """The running month by the statement's rules, without tax."""

    object: Literal["spend"]
    period: str
    currency: str
    time_zone: str
    amount: str
    forecast: str
    lines: list[StatementLineOut]


class WalletOut(BaseModel):
    """Prepaid money; `spendable` is balance and credit less what running jobs hold."""

    currency: str
    balance: str
    held: str
    credit_limit: str
    spendable: str


class BudgetOut(BaseModel):
    """A month's budget of the tenant (`api_key_id` null) or of the key. A hard one refuses, a soft one only tells."""

    name: str
    api_key_id: str | None
    hard: bool
    amount: str
    spent: str
    held: str
    left: str


class RateOut(BaseModel):
    """One rate limit and how it stands now."""

    name: str = Field(description="As in the headers RateLimit and RateLimit-Policy.")
    meter: Literal["requests", "audio_seconds", "characters"]
    shared_by: Literal["tenant", "api_key"] = Field(description="Whose calls use it up; each mode has its own.")
    quota: int
    period_s: int
    left: int = Field(description="So much passes at once now.")
    full_again_s: int = Field(description="In so many seconds all of it is back, without further use.")


class ConcurrencyOut(BaseModel):
    """So many requests may be under way at the same moment."""

    name: str
    shared_by: Literal["tenant", "api_key"]
    limit: int


class LimitsOut(BaseModel):
    """What the key may still spend, and how fast."""

    object: Literal["limits"]
    currency: str
    wallet: WalletOut | None
    budgets: list[BudgetOut]
    rates: list[RateOut] = Field(description="A meter without a rate is not limited.")
    concurrency: list[ConcurrencyOut] = Field(description="Empty: any number of requests at the same moment.")

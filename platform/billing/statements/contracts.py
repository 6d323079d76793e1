"""Values of statements that cross the border of `billing`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

USAGE, INCLUDED, LATE, ADJUST, MINIMUM, TAX = "usage", "included", "late", "adjust", "minimum", "tax"


@dataclass(frozen=True, slots=True)
class Group:
    """What the ledger holds of one tenant's month at one price: the sums of `entries` rows.

    `origin_period` differs from the statement's month for late usage and for reversals of it. `adjusted` groups are
    amounts without a quantity; `adjustment_id` names the person's adjustment, None what was waived above holds.
    """

    meter: str
    engine: str
    model: str
    mode: str
    feature: str
    currency: str
    book_version: int
    unit_price: Decimal
    unit_size: int
    origin_period: date
    adjusted: bool
    adjustment_id: UUID | None
    quantity: int
    amount: Decimal
    wallet_amount: Decimal
    entries: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement; `amount` has the currency's own digits, `formula` is how it came about.

    `unit_price` per `unit_size` made the amount (None where no price did); `ledger_price` is the price that stands on
    the entries behind the line. Those of `adjust` lines that a person asked for are found by `subject_id`.
    """

    kind: str
    description: str
    formula: str
    amount: Decimal
    quantity: int = 0
    entries: int = 0
    meter: str = ""
    engine: str = ""
    model: str = ""
    mode: str = ""
    feature: str = ""
    book_version: int | None = None
    origin_period: date | None = None
    subject_id: UUID | None = None
    unit_price: Decimal | None = None
    unit_size: int | None = None
    ledger_price: Decimal | None = None
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a contract says of one month: to whom, in which currency and zone, with which tax."""

    tenant_id: UUID
    period: date
    currency: str
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    legal_name: str
    address: str = ""
    registration_number: str = ""
    tax_name: str = ""
    tax_percent: Decimal = Decimal(0)
    plan: str = ""
    collection: str = "none"


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of a statement's lines; `due` is `total` less what a wallet has paid already."""

    subtotal: Decimal
    tax: Decimal
    total: Decimal
    from_wallet: Decimal
    due: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """One tenant's month: status draft, rated, reviewed, approved, pushed or closed.

    `content_hash` is the SHA-256 of its canonical form (`statements.canonical`); it never changes from `rated` on.
    """

    id: UUID
    status: str
    terms: Terms
    totals: Totals
    lines: tuple[Line, ...]
    entries: int
    content_hash: str
    drafted_at: datetime
    rated_at: datetime | None = None
    reviewed_by: str | None = None
    approved_by: str | None = None
    closed_at: datetime | None = None

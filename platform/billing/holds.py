"""Holds: what a job may cost, set aside before an engine works. Always in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections

from billing import rating
from billing.books import book_of_version, required_book
from billing.errors import BudgetExceeded, InsufficientFunds

_LOCK = """SELECT job_id, tenant_id, amount, currency, book_version, on_wallet
 FROM public.hold WHERE job_id = %s FOR UPDATE"""
_CHANGE = "SELECT public.parlance_change_hold(%s, %s)"
_RELEASE = "SELECT public.parlance_release_hold(%s)"
_FULL = """SELECT name, amount FROM public.budget WHERE {whose} AND hard AND amount < held + %(wanted)s
   + CASE WHEN period = public.parlance_origin_month(tenant_id, now()) THEN spent ELSE 0 END
 ORDER BY amount LIMIT 1"""
_FULL_OF_KEY = _FULL.format(whose="tenant_id = %(tenant_id)s AND (api_key_id IS NULL OR api_key_id = %(api_key_id)s)")
_FULL_OF_HOLD = _FULL.format(whose="id IN (SELECT unnest(budgets) FROM public.hold WHERE job_id = %(job_id)s)")

# Inside a statement that an app joins with its own rows: true, or false when a budget or the wallet does not cover it.
HOLD = """public.parlance_place_hold(%(job_id)s, %(tenant_id)s, %(api_key_id)s, %(hold_amount)s::numeric,
 %(hold_currency)s, %(price_version)s::int)"""


@dataclass(frozen=True, slots=True)
class Quote:
    """What is to be held for a job, at which price book; no amount for a test key's job."""

    amount: Decimal | None
    currency: str
    version: int
    tenant_id: UUID | None = None
    api_key_id: UUID | None = None

    def values(self) -> dict[str, Any]:
        """What `HOLD` takes, beside the ids of job and tenant."""
        return {"hold_amount": self.amount, "hold_currency": self.currency, "price_version": self.version}

    def refusal(self) -> InsufficientFunds | BudgetExceeded:
        """Which of budget and wallet does not cover it."""
        assert self.amount is not None
        values = {"tenant_id": self.tenant_id, "api_key_id": self.api_key_id, "wanted": self.amount}
        return _refusal(self.amount, self.currency, sql=_FULL_OF_KEY, values=values)


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold whose row this transaction has locked."""

    job_id: UUID
    tenant_id: UUID
    amount: Decimal
    currency: str
    book_version: int
    on_wallet: bool


def place_hold(
    job_id: UUID,
    *,
    tenant_id: UUID,
    livemode: bool,
    currency: str,
    meter: str,
    engines: Sequence[str],
    expected: int | None,
    api_key_id: UUID | None = None,
) -> int:
    """Set money aside for a new job and return the price book version that will price it.

    `expected` is in the meter's unit; None holds the minimum of the dearest engine, at least one increment.
    Raises `NoPrice`, and `InsufficientFunds` or `BudgetExceeded` having changed nothing. A test key's job holds
    nothing.
    """
    quote = quote_hold(
        livemode=livemode, currency=currency, meter=meter, engines=engines, expected=expected, tenant_id=tenant_id,
        api_key_id=api_key_id,
    )  # fmt: skip
    if quote.amount is None:
        return quote.version
    ids: dict[str, Any] = {"job_id": job_id, "tenant_id": tenant_id, "api_key_id": api_key_id}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {HOLD}", ids | quote.values())  # constants only
        if not cursor.fetchone()[0]:
            raise quote.refusal()
    return quote.version


def quote_hold(
    *,
    livemode: bool,
    currency: str,
    meter: str,
    engines: Sequence[str],
    expected: int | None,
    tenant_id: UUID | None = None,
    api_key_id: UUID | None = None,
) -> Quote:
    """What `place_hold` would hold, by the tenant's own prices; raises `NoPrice`."""
    book = required_book(currency, engine=engines[0], meter=meter, tenant_id=tenant_id)
    quantity = 1 if expected is None else expected
    amount = rating.hold_amount(book, engines=engines, meter=meter, quantity=quantity)
    return Quote(amount if livemode else None, currency, book.version, tenant_id, api_key_id)


def raise_hold(
    job_id: UUID,
    *,
    engine: str,
    beside: Sequence[str] = (),
    meter: str,
    quantity: int,
    channels: int = 1,
    mode: str | None = None,
) -> bool:
    """Set the hold to the price of the measured quantity at the hold's own book version, of the dearest mode or `mode`,
    and of the dearest engine when others may be billed `beside` it.

    Raises `InsufficientFunds` or `BudgetExceeded` having changed nothing. False when there is no hold: a test key's
    job, or an ended one.
    """
    hold = locked_hold(job_id)
    if hold is None:
        return False
    book = book_of_version(hold.book_version)
    amount = rating.hold_amount(
        book, engines=[engine, *beside], meter=meter, quantity=quantity, channels=channels, mode=mode
    )
    with connection.cursor() as cursor:
        cursor.execute(_CHANGE, [job_id, amount])
        if not cursor.fetchone()[0]:
            values = {"job_id": job_id, "wanted": rating.difference(amount, hold.amount)}
            raise _refusal(amount, hold.currency, sql=_FULL_OF_HOLD, values=values)
    return True


def release(job_id: UUID, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Give the hold back; nothing is billed. A second call, or one after `settle`, changes nothing."""
    with connections[using].cursor() as cursor:
        cursor.execute(_RELEASE, [job_id])


def locked_hold(job_id: UUID) -> HoldRow | None:
    """The hold, locked until the caller's transaction ends; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [job_id])
        row = cursor.fetchone()
    return HoldRow(*row) if row else None


def _refusal(amount: Decimal, currency: str, *, sql: str, values: dict[str, Any]) -> InsufficientFunds | BudgetExceeded:
    """Read after the refusal, for its words: a hard budget without room is named, else it was the wallet."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    return (
        BudgetExceeded(row[0], limit=row[1], currency=currency) if row else InsufficientFunds(amount, currency=currency)
    )

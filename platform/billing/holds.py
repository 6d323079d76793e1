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
from billing.errors import InsufficientFunds

# One conditional statement: racing accepts queue at the wallet's row, and each sees what the one before it took.
_PLACE = """
WITH purse AS (
  SELECT FROM public.wallet WHERE tenant_id = %(tenant_id)s
), taken AS (
  UPDATE public.wallet SET held = held + %(amount)s
   WHERE tenant_id = %(tenant_id)s AND currency = %(currency)s AND held + %(amount)s <= balance + credit_limit
  RETURNING 1
)
INSERT INTO public.hold (job_id, tenant_id, amount, currency, book_version, on_wallet)
SELECT %(job_id)s, %(tenant_id)s, %(amount)s, %(currency)s, %(version)s, EXISTS (SELECT FROM taken)
 WHERE EXISTS (SELECT FROM taken) OR NOT EXISTS (SELECT FROM purse)"""

_LOCK = """SELECT job_id, tenant_id, amount, currency, book_version, on_wallet
 FROM public.hold WHERE job_id = %s FOR UPDATE"""

_CHANGE = """
WITH moved AS (
  UPDATE public.wallet SET held = held + %(delta)s
   WHERE %(on_wallet)s AND tenant_id = %(tenant_id)s AND currency = %(currency)s
     AND (%(delta)s <= 0 OR held + %(delta)s <= balance + credit_limit)
  RETURNING 1
)
UPDATE public.hold SET amount = %(amount)s
 WHERE job_id = %(job_id)s AND (NOT on_wallet OR EXISTS (SELECT FROM moved))"""

_RELEASE = """
WITH gone AS (
  DELETE FROM public.hold WHERE job_id = %s RETURNING tenant_id, amount, on_wallet
)
UPDATE public.wallet SET held = held - gone.amount
  FROM gone WHERE wallet.tenant_id = gone.tenant_id AND gone.on_wallet"""


# The same inside a statement that an app joins with its own rows: true, or false when the wallet does not cover it.
HOLD = """public.parlance_place_hold(%(job_id)s, %(tenant_id)s, %(hold_amount)s::numeric, %(hold_currency)s,
 %(price_version)s::int)"""


@dataclass(frozen=True, slots=True)
class Quote:
    """What is to be held for a job, at which price book; no amount for a test key's job."""

    amount: Decimal | None
    currency: str
    version: int

    def values(self) -> dict[str, Any]:
        """What `HOLD` takes, beside the ids of job and tenant."""
        return {"hold_amount": self.amount, "hold_currency": self.currency, "price_version": self.version}

    def refusal(self) -> InsufficientFunds:
        """The wallet does not cover it."""
        assert self.amount is not None
        return InsufficientFunds(self.amount, currency=self.currency)


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
) -> int:
    """Set money aside for a new job and return the price book version that will price it.

    `expected` is in the meter's unit; None holds the minimum of the dearest engine, at least one increment.
    Raises `NoPrice`, and `InsufficientFunds` having changed nothing. A test key's job holds nothing.
    """
    quote = quote_hold(
        livemode=livemode, currency=currency, meter=meter, engines=engines, expected=expected, tenant_id=tenant_id
    )  # fmt: skip
    if quote.amount is None:
        return quote.version
    values: dict[str, Any] = {
        "job_id": job_id, "tenant_id": tenant_id, "amount": quote.amount, "currency": currency,
        "version": quote.version,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, values)
        if cursor.rowcount == 0:
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
) -> Quote:
    """What `place_hold` would hold, by the tenant's own prices; raises `NoPrice`."""
    book = required_book(currency, engine=engines[0], meter=meter, tenant_id=tenant_id)
    quantity = 1 if expected is None else expected
    amount = rating.hold_amount(book, engines=engines, meter=meter, quantity=quantity)
    return Quote(amount if livemode else None, currency, book.version)


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

    Raises `InsufficientFunds` having changed nothing. False when there is no hold: a test key's job, or an ended one.
    """
    hold = locked_hold(job_id)
    if hold is None:
        return False
    book = book_of_version(hold.book_version)
    amount = rating.hold_amount(
        book, engines=[engine, *beside], meter=meter, quantity=quantity, channels=channels, mode=mode
    )
    values: dict[str, Any] = {
        "job_id": job_id, "tenant_id": hold.tenant_id, "currency": hold.currency, "on_wallet": hold.on_wallet,
        "amount": amount, "delta": rating.difference(amount, hold.amount),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CHANGE, values)
        if cursor.rowcount == 0:
            raise InsufficientFunds(amount, currency=hold.currency)
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

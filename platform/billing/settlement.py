"""A finished job's hold becomes ledger entries and, with a wallet, a debit: in the transaction of the finish, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from apikit.arrays import array
from billing import rating
from billing.books import book_of_version
from billing.contracts import NO_CURRENCY, Book, Cost, MeasuredLine
from billing.errors import HoldMissing
from billing.holds import locked_hold
from billing.queries import cost_of
from billing.usage_tags.digests import tag_digests

# The lines of a job whose hold is its price, inside the statement that finishes the job: every path settles by it.
SETTLE = """public.parlance_settle_lines(%(job_id)s, %(tenant_id)s, %(api_key_id)s, %(created_at)s,
 %(charge_occurred)s::timestamptz, %(charge_last)s, %(charge_tags)s::bytea[], %(charge_kinds)s::text[],
 %(charge_sequences)s::int[], %(charge_engines)s::text[], %(charge_models)s::text[], %(charge_modes)s::text[],
 %(charge_features)s::text[], %(charge_meters)s::text[], %(charge_raws)s::bigint[], %(charge_billables)s::bigint[],
 %(charge_prices)s::numeric[], %(charge_units)s::bigint[], %(charge_amounts)s::numeric[])"""


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    sequence: int
    engine: str
    model: str
    mode: str
    feature: str
    meter: str
    raw: int
    billable: int
    unit_price: Decimal
    unit_size: int
    amount: Decimal


def settle(
    job_id: UUID,
    *,
    tenant_id: UUID,
    livemode: bool,
    api_key_id: UUID | None,
    subject_created_at: datetime,
    lines: Sequence[MeasuredLine],
    occurred_at: datetime | None = None,
    tags: Sequence[str] = (),
) -> Cost:
    """Bill a job and return its cost, never above its hold; the same call again changes nothing and returns the same.

    `occurred_at` is the database's clock unless given; it decides the billing month. A test key's job costs nothing.
    Raises `NoPrice`, and `HoldMissing` for a live job that was released or never accepted.
    """
    if not livemode:
        return Cost(Decimal(0), NO_CURRENCY)
    hold = locked_hold(job_id)
    if hold is None:
        return _settled_before(job_id, subject_created_at=subject_created_at)
    entries = _entries(book_of_version(hold.book_version), lines=lines, limit=hold.amount)
    ids: dict[str, Any] = {
        "job_id": job_id, "tenant_id": tenant_id, "api_key_id": api_key_id, "created_at": subject_created_at,
    }  # fmt: skip
    with connection.cursor() as cursor:
        charged = _values(entries, tags=tag_digests(tenant_id, tags), occurred_at=occurred_at)
        cursor.execute(f"SELECT {SETTLE}", ids | charged)  # constants only
    return Cost(rating.total(entry.amount for entry in entries), hold.currency)


def settle_chunk(
    job_id: UUID,
    *,
    tenant_id: UUID,
    livemode: bool,
    api_key_id: UUID | None,
    subject_created_at: datetime,
    sequence: int,
    line: MeasuredLine,
    occurred_at: datetime | None,
    tags: Sequence[str],
    last: bool,
) -> Cost:
    """One chunk of a stream out of its hold (`streams.record_chunk`)."""
    if not livemode:
        return Cost(Decimal(0), NO_CURRENCY)
    hold = locked_hold(job_id)
    if hold is None:
        return _settled_before(job_id, subject_created_at=subject_created_at, sequence=sequence)
    entries = _entries(book_of_version(hold.book_version), lines=[line], limit=hold.amount, first=sequence)
    ids = {"job_id": job_id, "tenant_id": tenant_id, "api_key_id": api_key_id, "created_at": subject_created_at}
    values = _values(entries, tags=tag_digests(tenant_id, tags), occurred_at=occurred_at, last=last)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {SETTLE}", ids | values)  # constants only
    return Cost(rating.total(entry.amount for entry in entries), hold.currency)


def charge(
    version: int, line: MeasuredLine, *, livemode: bool, tenant_id: UUID | None = None, tags: Sequence[str] = ()
) -> tuple[Cost, dict[str, Any]]:
    """What the one line of a job costs, and what `SETTLE` takes beside ids and times; raises `NoPrice`."""
    book = book_of_version(version)
    entry = _rated(book, line, sequence=0)
    digests = tag_digests(tenant_id, tags) if tenant_id else []
    values = _values([entry] if livemode else None, tags=digests)
    return Cost(entry.amount, book.currency) if livemode else Cost(Decimal(0), NO_CURRENCY), values


def _settled_before(job_id: UUID, *, subject_created_at: datetime, sequence: int | None = None) -> Cost:
    cost = cost_of(job_id, subject_created_at=subject_created_at, sequence=sequence)
    if cost is None:
        raise HoldMissing(job_id)
    return cost


def _entries(book: Book, *, lines: Sequence[MeasuredLine], limit: Decimal, first: int = 0) -> list[_Entry]:
    entries = [_rated(book, line, sequence=sequence) for sequence, line in enumerate(lines, start=first)]
    above = rating.difference(rating.total(entry.amount for entry in entries), limit)
    return [*entries, _waived(entries, above, sequence=first)] if above > 0 else entries


def _rated(book: Book, line: MeasuredLine, *, sequence: int) -> _Entry:
    price = rating.price_for(book, line)
    billable = rating.billable_quantity(price, line.quantity, channels=line.channels)
    return _Entry(
        "usage", sequence, line.engine, line.model, line.mode, line.feature, line.meter, line.quantity, billable,
        price.unit_price, price.unit_size, rating.amount_of(price, billable),
    )  # fmt: skip


def _waived(entries: Sequence[_Entry], above: Decimal, *, sequence: int) -> _Entry:
    """The part above the hold is ours: lines stay exact, one entry takes the difference back."""
    return replace(
        entries[-1], kind="adjust", sequence=sequence, feature="", raw=0, billable=0, amount=rating.negated(above)
    )


def _values(
    entries: Sequence[_Entry] | None,
    *,
    tags: Sequence[bytes],
    occurred_at: datetime | None = None,
    last: bool = True,
) -> dict[str, Any]:
    """What `SETTLE` takes; no entries for a test key's job."""
    columns = {
        f"charge_{column}": None if entries is None else array([getattr(entry, name) for entry in entries])
        for column, name in _COLUMNS.items()
    }
    return {**columns, "charge_occurred": occurred_at, "charge_last": last, "charge_tags": array(tags)}


_COLUMNS = {
    "kinds": "kind", "sequences": "sequence", "engines": "engine", "models": "model", "modes": "mode",
    "features": "feature", "meters": "meter", "raws": "raw", "billables": "billable", "prices": "unit_price",
    "units": "unit_size", "amounts": "amount",
}  # fmt: skip

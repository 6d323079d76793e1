"""Books as values: the one in force for a tenant, and any approved one by its version.

A tenant's own book comes before its plan's, that before the currency's list; of each the one that began last.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from billing import seeds
from billing.contracts import Book
from billing.contracts import Price as PriceValue
from billing.errors import NoPrice
from billing.models import Price, PriceBook
from billing.tiers import Tier

CACHE_NS = 5 * 10**9  # a newly approved book prices new jobs everywhere within 5 s; accept saves a statement

_in_force: dict[tuple[str, UUID | None], tuple[int, Book]] = {}
_costs: tuple[int, tuple[Book, ...]] = (0, ())
_by_version: dict[int, Book] = {}  # for ever: an approved book is frozen by a trigger

# The book in force for (tenant, currency) at a moment as it was known at another (null: now), as a subquery over these
# four columns: what is approved later for the past does not change what was rated before.
IN_FORCE = """SELECT b.version, b.minimum_commit FROM public.price_book AS b
  WHERE b.kind = 'price' AND b.status = 'approved' AND b.currency = wanted.currency
    AND b.effective_from <= wanted.moment
    AND (wanted.known IS NULL OR b.approved_at IS NULL OR b.approved_at <= wanted.known)
    AND (b.tenant_id = wanted.tenant_id OR b.tenant_id IS NULL AND b.plan IN ('', coalesce((
      SELECT c.plan FROM public.billing_contract AS c
       WHERE c.tenant_id = wanted.tenant_id AND c.starts_on <= wanted.moment::date
       ORDER BY c.starts_on DESC LIMIT 1), '')))
  ORDER BY b.tenant_id IS NULL, b.plan = '', b.effective_from DESC, b.version DESC LIMIT 1"""
_NOW = f"""SELECT version FROM (SELECT %s::uuid AS tenant_id, %s AS currency, now() AS moment,
   NULL::timestamptz AS known) AS wanted,
  LATERAL ({IN_FORCE}) AS book"""  # noqa: S608  # constants only
_COMMITS = f"""SELECT wanted.tenant_id, book.minimum_commit
  FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[])
    AS wanted (tenant_id, currency, moment, known),
  LATERAL ({IN_FORCE}) AS book WHERE book.minimum_commit > 0"""  # noqa: S608  # constants only
_COSTS_NOW = """SELECT version FROM (SELECT DISTINCT ON (currency) version, effective_from FROM public.price_book
   WHERE kind = 'cost' AND status = 'approved' AND effective_from <= now()
   ORDER BY currency, effective_from DESC, version DESC) AS newest
 ORDER BY effective_from DESC, version DESC"""
_COLUMNS = """p.engine, p.model, p.mode, p.meter, p.unit_price, p.unit_size, p.increment_ms, p.minimum_ms,
 p.per_channel, p.feature, p.included, p.tier_mode, p.tiers::text"""
_OF_VERSION = f"""SELECT b.currency, b.minimum_commit, b.base_version, {_COLUMNS}
 FROM public.price_book AS b LEFT JOIN public.price AS p ON p.book_id = b.id
 WHERE b.version = %s AND b.status = 'approved'"""  # noqa: S608  # constants only


def book_in_force(currency: str, *, tenant_id: UUID | None = None, using: str = DEFAULT_DB_ALIAS) -> Book | None:
    """The book that prices the tenant's new jobs, at most 5 s old; None for a currency without one."""
    return _kept((currency, tenant_id), _NOW, [tenant_id, currency], using=using)


def cost_books_in_force(*, using: str = DEFAULT_DB_ALIAS) -> tuple[Book, ...]:
    """What providers cost the operator now, a book for each currency that they bill in, the newest first; 5 s old."""
    global _costs
    until_ns, books = _costs
    if time.monotonic_ns() >= until_ns:
        with connections[using].cursor() as cursor:
            cursor.execute(_COSTS_NOW)
            found = [find_book(version, using=using) for (version,) in cursor.fetchall()]
        books = tuple(book for book in found if book is not None)
        _costs = time.monotonic_ns() + CACHE_NS, books
    return books


def required_book(currency: str, *, engine: str, meter: str, tenant_id: UUID | None = None) -> Book:
    """The book in force, or `NoPrice` naming engine and currency."""
    book = book_in_force(currency, tenant_id=tenant_id)
    if book is None:
        raise NoPrice(engine, meter=meter, currency=currency)
    return book


def book_of_version(version: int, *, using: str = DEFAULT_DB_ALIAS) -> Book:
    """An approved book that a hold refers to."""
    book = find_book(version, using=using)
    if book is None or not book.prices:
        raise LookupError(f"price book {version} is not approved or has no prices")
    return book


def find_book(version: int, *, using: str = DEFAULT_DB_ALIAS) -> Book | None:
    """An approved book with the prices of the one that it stands on; None for an unknown version."""
    known = _by_version.get(version)
    if known is not None:
        return known
    with connections[using].cursor() as cursor:
        cursor.execute(_OF_VERSION, [version])
        book = _assembled(version, cursor.fetchall(), using=using)
    if book is not None:
        _by_version[version] = book
    return book


def _assembled(version: int, rows: list[tuple[Any, ...]], *, using: str) -> Book | None:
    if not rows:
        return None
    currency, minimum, base_version = rows[0][:3]
    base = find_book(base_version, using=using) if base_version is not None else None
    prices = {price.key: price for price in (_price(row[3:]) for row in rows if row[3] is not None)}
    return Book(version, currency, {**(base.prices if base else {}), **prices}, minimum)


def price_with_draft(version: int, *, using: str) -> Book:
    """A book, also one that is still a draft: to ask what it would change. It is not kept."""
    with connections[using].cursor() as cursor:
        cursor.execute(_OF_VERSION.replace("AND b.status = 'approved'", "AND b.kind = 'price'"), [version])
        book = _assembled(version, cursor.fetchall(), using=using)
    if book is None:
        raise LookupError(f"there is no price book {version}")
    return book


def commits_of(wanted: Iterable[tuple[UUID, str, datetime, datetime | None]], *, using: str) -> dict[UUID, Decimal]:
    """The minimum commit of each (tenant, currency, first moment of the month, known when) that has one; one query."""
    rows = list(wanted)
    with connections[using].cursor() as cursor:
        cursor.execute(_COMMITS, [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []])
        return dict(cursor.fetchall())


def forget_books() -> None:
    """Drop the caches: after a restore, or in tests."""
    global _costs
    _costs = (0, ())
    _in_force.clear()
    _by_version.clear()


def seed_default_books(*, using: str = "owner") -> None:
    """Add the example books that are missing; a second call changes nothing."""
    for seed in seeds.BOOKS:
        with transaction.atomic(using=using):
            if not PriceBook.objects.using(using).filter(version=seed.version).exists():
                _store(seed, using=using)


def rows_of(book: PriceBook, prices: Iterable[PriceValue]) -> list[Price]:
    """Rows of `price` for a book."""
    return [
        Price(
            book=book, tenant_id=book.tenant_id, engine=price.engine, model=price.model, mode=price.mode,
            feature=price.feature, meter=price.meter, unit_price=price.unit_price, unit_size=price.unit_size,
            increment_ms=price.increment_ms, minimum_ms=price.minimum_ms, per_channel=price.per_channel,
            included=price.included, tier_mode=price.tier_mode,
            tiers=[{"up_to": tier.up_to, "unit_price": str(tier.unit_price)} for tier in price.tiers],
        )
        for price in prices
    ]  # fmt: skip


def _store(seed: seeds.SeedBook, *, using: str) -> None:
    book = PriceBook(version=seed.version, currency=seed.currency, effective_from=seeds.SINCE)
    book.save(using=using, force_insert=True)
    Price.objects.using(using).bulk_create(rows_of(book, seed.prices))
    book.status = PriceBook.Status.APPROVED  # last: from here on a trigger freezes the book and its prices
    book.save(using=using, update_fields=["status"])


def _kept(key: tuple[str, UUID | None], sql: str, values: list[Any], *, using: str) -> Book | None:
    known = _in_force.get(key)
    if known is not None and time.monotonic_ns() - known[0] < CACHE_NS:
        return known[1]
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    book = find_book(row[0], using=using) if row else None
    if book is not None:
        _in_force[key] = (time.monotonic_ns(), book)
    return book


def _price(row: tuple[Any, ...]) -> PriceValue:
    values = dict(zip(PriceValue.__dataclass_fields__, row, strict=True))
    tiers = tuple(Tier(tier["up_to"], Decimal(tier["unit_price"])) for tier in json.loads(values["tiers"]))
    return PriceValue(**{**values, "tiers": tiers})

"""Price books as values: the one in force for a currency, and any approved one by its version."""

from __future__ import annotations

import time
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from billing import seeds
from billing.contracts import Book
from billing.contracts import Price as PriceValue
from billing.errors import NoPrice
from billing.models import Price, PriceBook

CACHE_NS = 5 * 10**9  # a newly approved book prices new jobs everywhere within 5 s; accept saves a statement

_in_force: dict[str, tuple[int, Book]] = {}
_by_version: dict[int, Book] = {}  # for ever: an approved book is frozen by a trigger

_COLUMNS = """b.version, b.currency, p.engine, p.model, p.mode, p.meter, p.unit_price, p.unit_size, p.increment_ms,
 p.minimum_ms, p.per_channel"""
_IN_FORCE = f"""SELECT {_COLUMNS} FROM (
   SELECT id, version, currency FROM public.price_book
    WHERE currency = %s AND status = 'approved' AND effective_from <= now()
    ORDER BY effective_from DESC, version DESC LIMIT 1
 ) AS b JOIN public.price AS p ON p.book_id = b.id"""  # noqa: S608  # constants only
_OF_VERSION = f"""SELECT {_COLUMNS} FROM public.price_book AS b JOIN public.price AS p ON p.book_id = b.id
 WHERE b.version = %s AND b.status = 'approved'"""  # noqa: S608  # constants only


def book_in_force(currency: str, *, using: str = DEFAULT_DB_ALIAS) -> Book | None:
    """The approved book with the latest start that has begun, at most 5 s old; None for a currency without one."""
    known = _in_force.get(currency)
    if known is not None and time.monotonic_ns() - known[0] < CACHE_NS:
        return known[1]
    book = _read(_IN_FORCE, currency, using=using)
    if book is not None:
        _in_force[currency] = (time.monotonic_ns(), book)
        _by_version[book.version] = book
    return book


def required_book(currency: str, *, engine: str, meter: str) -> Book:
    """The book in force, or `NoPrice` naming engine and currency."""
    book = book_in_force(currency)
    if book is None:
        raise NoPrice(engine, meter=meter, currency=currency)
    return book


def book_of_version(version: int) -> Book:
    """An approved book that a hold refers to."""
    book = _by_version.get(version) or _read(_OF_VERSION, version, using=DEFAULT_DB_ALIAS)
    if book is None:
        raise LookupError(f"price book {version} is not approved or has no prices")
    _by_version[version] = book
    return book


def forget_books() -> None:
    """Drop the caches: after a restore, or in tests."""
    _in_force.clear()
    _by_version.clear()


def seed_default_books(*, using: str = "owner") -> None:
    """Add the example books that are missing; a second call changes nothing."""
    for seed in seeds.BOOKS:
        with transaction.atomic(using=using):
            if not PriceBook.objects.using(using).filter(version=seed.version).exists():
                _store(seed, using=using)


def _store(seed: seeds.SeedBook, *, using: str) -> None:
    book = PriceBook(version=seed.version, currency=seed.currency, effective_from=seeds.SINCE)
    book.save(using=using, force_insert=True)
    Price.objects.using(using).bulk_create(
        Price(
            book=book, engine=price.engine, model=price.model, mode=price.mode, meter=price.meter,
            unit_price=price.unit_price, unit_size=price.unit_size, increment_ms=price.increment_ms,
            minimum_ms=price.minimum_ms, per_channel=price.per_channel,
        )
        for price in seed.prices
    )  # fmt: skip
    book.status = PriceBook.Status.APPROVED  # last: from here on a trigger freezes the book and its prices
    book.save(using=using, update_fields=["status"])


def _read(sql: str, wanted: str | int, *, using: str) -> Book | None:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, [wanted])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    if not rows:
        return None
    prices = [PriceValue(*row[2:]) for row in rows]
    return Book(
        version=rows[0][0],
        currency=rows[0][1],
        prices={(price.engine, price.model, price.mode, price.meter): price for price in prices},
    )

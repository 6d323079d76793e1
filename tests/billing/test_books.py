"""Approved books are frozen, and the newest one that has begun is in force."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connections

from billing.books import book_in_force, book_of_version
from billing.facade import (
    CurrencyFrozen,
    approve_book,
    draft_book,
    forget_books,
    hourly_rates,
    seed_default_books,
    set_wallet,
)
from billing.models import Price, PriceBook, Wallet

pytestmark = pytest.mark.usefixtures("migrated")


def book(currency: str, *, version: int, days: int, approved: bool = True) -> PriceBook:
    starts = datetime.now(UTC) + timedelta(days=days)
    made = PriceBook.objects.using("owner").create(version=version, currency=currency, effective_from=starts)
    Price.objects.using("owner").create(
        book=made, engine="e", mode="batch", meter="audio_ms", unit_price=Decimal("0.0123"), unit_size=1000
    )
    if approved:
        made.status = PriceBook.Status.APPROVED
        made.save(using="owner", update_fields=["status"])
    return made


@pytest.fixture
def currency() -> str:
    """A code of its own for each test: approved books cannot be removed."""
    return f"{PriceBook.objects.using('owner').count():03d}"


@pytest.fixture
def version() -> int:
    newest = PriceBook.objects.using("owner").order_by("-version").first()
    return newest.version + 100 if newest else 100


def test_engines_are_compared_at_a_tenants_own_prices(alice: Any, charlie: Any, inside: Callable[..., Any]) -> None:
    prices = [{"engine": "simulated", "mode": "batch", "meter": "audio_ms", "unit_price": "0.003", "unit_size": 60_000}]
    own = {"currency": "USD", "tenant_id": str(alice.id), "base_version": 1, "prices": prices,
           "effective_from": "2026-01-01T00:00:00Z"}  # fmt: skip
    approve_book(draft_book(own, actor="ann"), actor="ben")
    forget_books()
    listed = hourly_rates("USD", tenant_id=None)
    with inside(alice):
        hers = hourly_rates("USD", tenant_id=alice.id)
    with inside(charlie):
        his = hourly_rates("USD", tenant_id=charlie.id)
    assert (listed["simulated"], hers["simulated"]) == (Decimal("0.36"), Decimal("0.18"))
    assert {**hers, "simulated": listed["simulated"]} == listed == his


def test_seeding_again_changes_nothing() -> None:
    before = list(Price.objects.using("owner").order_by("id").values_list("id", flat=True))
    seed_default_books()
    assert list(Price.objects.using("owner").order_by("id").values_list("id", flat=True)) == before


@pytest.mark.parametrize(("code", "version"), [("USD", 1), ("KRW", 2)])
def test_the_seeded_books_price_every_engine_above_zero(code: str, version: int) -> None:
    seeded = book_of_version(version)
    assert seeded.currency == code
    assert sorted({(price.engine, price.meter) for price in seeded.prices.values()}) == [
        ("assemblyai", "audio_ms"),
        ("azure", "audio_ms"),
        ("azure", "characters"),
        ("deepgram", "audio_ms"),
        ("espeak-ng", "characters"),
        ("google", "audio_ms"),
        ("openai", "audio_ms"),
        ("openai", "characters"),
        ("openai-tts-1", "characters"),
        ("openai-tts-1-hd", "characters"),
        ("pocketsphinx", "audio_ms"),
        ("polly", "characters"),
        ("polly-generative", "characters"),
        ("polly-long-form", "characters"),
        ("polly-standard", "characters"),
        ("simulated", "audio_ms"),
        ("simulated", "characters"),
        ("simulated-cloud", "audio_ms"),
        ("whisper-base", "audio_ms"),
        ("whisper-large-v2", "audio_ms"),
        ("whisper-large-v3", "audio_ms"),
        ("whisper-medium", "audio_ms"),
        ("whisper-small", "audio_ms"),
        ("whisper-tiny", "audio_ms"),
        ("whisper-turbo", "audio_ms"),
    ]
    assert all(price.unit_price > 0 for price in seeded.prices.values())


def test_the_newest_approved_book_that_has_begun_is_in_force(currency: str, version: int) -> None:
    book(currency, version=version, days=-2)
    book(currency, version=version + 1, days=-1)
    book(currency, version=version + 2, days=-1, approved=False)
    book(currency, version=version + 3, days=1)

    forget_books()
    found = book_in_force(currency)

    assert found is not None
    assert found.version == version + 1


def test_the_book_in_force_is_cached(currency: str, version: int, statements: Callable[[], Any]) -> None:
    book(currency, version=version, days=-1)
    with statements() as done:
        assert book_in_force(currency) is book_in_force(currency)
    assert len(done) == 2  # which one, and its prices; both are kept


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE price SET unit_price = 0 WHERE book_id = {id}",
        "DELETE FROM price WHERE book_id = {id}",
        "INSERT INTO price (book_id, engine, model, mode, meter, unit_price, unit_size, increment_ms, minimum_ms,"
        " per_channel) VALUES ({id}, 'x', '', 'batch', 'audio_ms', 1, 1, 1, 0, false)",
        "UPDATE price_book SET status = 'draft' WHERE id = {id}",
        "DELETE FROM price_book WHERE id = {id}",
    ],
)
def test_an_approved_book_is_frozen(change: str) -> None:
    approved = PriceBook.objects.using("owner").get(version=1)
    with pytest.raises(DatabaseError, match="is refused"), connections["owner"].cursor() as cursor:
        cursor.execute(change.format(id=approved.id))


def test_a_draft_can_be_changed(currency: str, version: int) -> None:
    draft = book(currency, version=version, days=0, approved=False)
    assert draft.prices.using("owner").update(unit_price=Decimal(2)) == 1
    draft.prices.using("owner").all().delete()
    draft.delete(using="owner")


def test_a_wallet_in_use_keeps_its_currency(alice: Any) -> None:
    set_wallet(alice.id, currency="USD", balance=Decimal(0))
    set_wallet(alice.id, currency="KRW", balance=Decimal(1000))
    with pytest.raises(CurrencyFrozen, match="holds KRW"):
        set_wallet(alice.id, currency="USD", balance=Decimal(1))
    wallet = Wallet.objects.using("system").get(pk=alice.id)
    assert (wallet.currency, wallet.balance) == ("KRW", Decimal(1000))

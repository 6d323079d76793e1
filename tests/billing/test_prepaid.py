"""A prepaid wallet has paid what the statement says: tiers, included usage, packages, rounding."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum

from billing.facade import (
    AUDIO_MS,
    MeasuredLine,
    approve_book,
    check,
    close_period,
    draft_book,
    forget_books,
    list_statements,
    rate_month,
    set_wallet,
)
from billing.models import UsageEntry, WalletEntry
from billing.wallets import true_up

pytestmark = pytest.mark.usefixtures("migrated")
START = Decimal(100)
DEARER = {"tier_mode": "graduated", "tiers": [{"up_to": 60_000, "unit_price": "0.6"}, {"unit_price": "6"}]}
PRICES: dict[str, Any] = {
    "plain": {},
    "included": {"included": 200_000},
    "cheaper": {
        "included": 90_000, "tier_mode": "volume",
        "tiers": [{"up_to": 120_000, "unit_price": "0.6"}, {"unit_price": "0.31"}],
    },
    "dearer": DEARER,
    "package": {"tier_mode": "package"},
}  # fmt: skip


@pytest.fixture
def use(job: Callable[..., Any], inside: Callable[..., Any]) -> Callable[..., Any]:
    """Bill someone's milliseconds in a month."""

    def bill(someone: Any, ms: int, month: date) -> None:
        done = job(someone)
        with inside(someone):
            done.hold(expected=ms)
            done.settle(
                MeasuredLine("simulated", "", "batch", AUDIO_MS, ms),
                occurred_at=datetime(month.year, month.month, 15, tzinfo=UTC),
            )

    return bill


def own_price(someone: Any, **more: Any) -> None:
    price = {"engine": "simulated", "mode": "batch", "meter": "audio_ms", "unit_price": "0.6", "unit_size": 60_000}
    document = {
        "currency": "USD", "tenant_id": str(someone.id), "base_version": 1, "prices": [{**price, **more}],
        "effective_from": "1800-01-01T00:00:00Z",
    }  # fmt: skip
    approve_book(draft_book(document, actor="ann"), actor="ben")
    forget_books()


def rated(someone: Any, month: date) -> Any:
    close_period(month)
    rate_month(month)
    (found,) = list_statements(period=month, tenant_id=someone.id)
    return found


def moved(someone: Any) -> list[Decimal]:
    entries = WalletEntry.objects.using("system").filter(tenant_id=someone.id, kind="true_up")
    return list(entries.values_list("amount", flat=True))


@pytest.mark.parametrize("kind", PRICES)
def test_all_debits_are_the_statements_total(
    kind: str, new_tenant: Callable[..., Any], use: Callable[..., Any], wallet_of: Callable[..., Any],
    unused_month: date,
) -> None:  # fmt: skip
    dice, someone = random.Random(kind), new_tenant(f"prepaid-{kind}")
    own_price(someone, **PRICES[kind])
    set_wallet(someone.id, currency="USD", balance=START)
    for _ in range(5):
        use(someone, dice.randint(1, 200_000), unused_month)
    done = rated(someone, unused_month)

    mine = UsageEntry.objects.using("system").filter(tenant_id=someone.id, kind="usage", on_wallet=True)
    (true_up,) = moved(someone)
    assert mine.aggregate(sum=Sum("amount"))["sum"] - true_up == done.totals.total == done.totals.from_wallet
    assert (wallet_of(someone), done.totals.due) == ((START - done.totals.total, Decimal(0)), Decimal(0))
    assert rate_month(unused_month) == 0  # again: nothing moves
    assert moved(someone) == [true_up]
    assert [one for one in check() if str(someone.id) in one.subject or str(done.id) in one.subject] == []


def test_what_a_wallet_does_not_cover_is_due(
    alice: Any, use: Callable[..., Any], wallet_of: Callable[..., Any], unused_month: date
) -> None:
    own_price(alice, **DEARER)
    set_wallet(alice.id, currency="USD", balance=Decimal("1.2"))
    use(alice, 120_000, unused_month)
    done = rated(alice, unused_month)
    assert (done.totals.total, done.totals.from_wallet, done.totals.due) == (
        Decimal("6.6"), Decimal("1.2"), Decimal("5.4"),
    )  # fmt: skip
    assert (wallet_of(alice)[0], moved(alice)) == (Decimal(0), [])


def test_a_check_finds_a_wallet_that_did_not_pay_its_part(
    alice: Any, use: Callable[..., Any], unused_month: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_price(alice, included=60_000)
    set_wallet(alice.id, currency="USD", balance=START)
    use(alice, 120_000, unused_month)
    forgotten: list[dict[str, Any]] = []
    monkeypatch.setattr("billing.statements.prepaid.true_up", lambda _, **moved: forgotten.append(moved) or True)
    done = rated(alice, unused_month)
    (found,) = (one for one in check() if one.subject == str(done.id))
    assert (Decimal(found.expected), Decimal(found.found)) == (Decimal("0.6"), Decimal("1.2"))
    with transaction.atomic(using="system"):
        true_up(alice.id, **forgotten[0])
    assert not [one for one in check() if one.subject == str(done.id)]

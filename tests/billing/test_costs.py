"""What a provider's call costs: by the cost book in force, in its own currency; and the margin that is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from billing.facade import (
    CostLine,
    approve_book,
    approve_rates,
    draft_book,
    draft_rates,
    forget_books,
    margins,
    record_costs,
)
from billing.models import UsageEntry

pytestmark = pytest.mark.usefixtures("migrated")


def cost_book(currency: str, *prices: dict[str, Any], since: datetime | None = None) -> int:
    """An approved cost book. Of a currency's books the newest counts, so each is in force from now unless told."""
    start = since or datetime.now(UTC)
    made = [{"mode": "batch", "meter": "audio_ms", "unit_size": 3_600_000, **price} for price in prices]
    document = {"kind": "cost", "currency": currency, "effective_from": start.isoformat(), "prices": made}
    version = draft_book(document, actor="ann")
    approve_book(version, actor="ben")
    forget_books()
    return version


@pytest.fixture
def engine() -> str:
    return f"engine-{uuid4().hex[:8]}"


@pytest.fixture
def booked(inside: Callable[..., Any], job: Callable[..., Any], entries_of: Callable[..., Any]) -> Callable[..., Any]:
    """Books a call's lines for someone; the entries, by unit."""

    def book(owner: Any, *lines: CostLine, occurred_at: datetime | None = None, livemode: bool = True) -> Any:
        made = job(owner)
        for _ in range(2):  # the second time changes nothing
            with inside(owner):
                record_costs(
                    made.id, tenant_id=owner.id, livemode=livemode, api_key_id=owner.caller.key_id, attempt=1,
                    subject_created_at=made.created_at, lines=lines, occurred_at=occurred_at,
                )  # fmt: skip
        return {entry.meter: entry for entry in entries_of(made)}

    return book


def test_the_cost_book_in_force_prices_a_call_and_stands_on_its_entry(
    alice: Any, booked: Callable[..., Any], engine: str
) -> None:
    cost_book("USD", {"engine": engine, "unit_price": "9"}, since=datetime.now(UTC) - timedelta(hours=1))
    version = cost_book(
        "USD",
        {"engine": engine, "unit_price": "0.21", "increment_ms": 1_000},
        {"engine": engine, "model": "large", "meter": "input_tokens", "unit_price": "2.5", "unit_size": 1_000_000},
    )
    found = booked(
        alice, CostLine(engine, "large", "audio_ms", 1_799_001), CostLine(engine, "large", "input_tokens", 4)
    )
    audio, tokens = found["audio_ms"], found["input_tokens"]
    assert (audio.kind, audio.raw_quantity, audio.billable_quantity) == ("cost", 1_799_001, 1_800_000)
    assert (audio.amount, audio.unit_price, audio.unit_size) == (Decimal("0.105"), Decimal("0.21"), 3_600_000)
    assert (audio.currency, audio.book_version) == ("USD", version)
    assert tokens.amount == Decimal("0.00001")


def test_without_a_cost_book_the_list_price_counts_and_without_any_price_the_units_are_kept(
    alice: Any, booked: Callable[..., Any], engine: str
) -> None:
    listed = CostLine(engine, "", "audio_ms", 60_000, "EUR", Decimal("0.004"))
    found = booked(alice, listed, CostLine(engine, "", "output_tokens", 77))
    assert (found["audio_ms"].amount, found["audio_ms"].currency) == (Decimal("0.004"), "EUR")
    unknown = found["output_tokens"]
    assert (unknown.raw_quantity, unknown.amount, unknown.currency) == (77, 0, "XXX")


def test_a_test_keys_job_costs_nothing(alice: Any, booked: Callable[..., Any], engine: str) -> None:
    assert booked(alice, CostLine(engine, "", "audio_ms", 1), livemode=False) == {}


def test_a_cost_is_of_the_month_in_which_the_tenant_was_then(
    new_tenant: Callable[..., Any], booked: Callable[..., Any], engine: str
) -> None:
    seoul = new_tenant("seoul", currency="KRW", time_zone="Asia/Seoul")
    found = booked(seoul, CostLine(engine, "", "audio_ms", 1), occurred_at=datetime(2026, 9, 30, 15, tzinfo=UTC))
    assert found["audio_ms"].origin_period == date(2026, 10, 1)  # in UTC it is still September


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"kind": "costs"}, "a book is one of"),
        ({"kind": "cost", "plan": "team"}, "has no plan"),
        ({"kind": "price"}, "meter is one of audio_ms, characters"),
    ],
)
def test_a_wrong_book_is_refused_whole(change: dict[str, str], told: str, engine: str) -> None:
    price = {"engine": engine, "mode": "batch", "meter": "input_tokens", "unit_price": "1", "unit_size": 1}
    document = {"currency": "USD", "effective_from": "2026-01-01T00:00:00Z", "prices": [price]}
    with pytest.raises(ValueError, match=told):
        draft_book(document | change, actor="ann")


def test_the_margin_shows_the_rate_and_the_table_behind_it(
    new_tenant: Callable[..., Any], booked: Callable[..., Any], engine: str, unused_month: date
) -> None:
    """Revenue in won and cost in dollars; one currency has no rate, and nothing of it is added."""
    owner = new_tenant("won", currency="KRW", time_zone="Asia/Seoul")
    at = datetime(unused_month.year, unused_month.month, 15, tzinfo=UTC)
    cost_book("USD", {"engine": engine, "unit_price": "3.6"})
    booked(owner, CostLine(engine, "", "audio_ms", 1_000_000), occurred_at=at)
    booked(owner, CostLine(engine, "", "characters", 5, "PLN", Decimal(2)), occurred_at=at)
    _earn(owner, engine, amount=Decimal(2_000), at=at)
    old = draft_rates({("USD", "KRW"): Decimal(1_000)}, effective_from=unused_month, source="bank", actor="ann")
    approve_rates(old, actor="ben")
    table = draft_rates(
        {("USD", "KRW"): Decimal("1380.25")}, effective_from=unused_month.replace(day=20), source="bank", actor="ann"
    )
    approve_rates(table, actor="ben")

    (found,) = [one for one in margins(unused_month, currency="KRW") if one.engine == engine]

    (cost,) = found.cost
    assert (cost.amount, cost.currency, cost.rate, cost.table) == (Decimal(1), "USD", Decimal("1380.25"), table)
    assert (cost.converted, found.revenue[0].converted, found.margin) == (1380, 2000, 620)
    assert found.missing == ("PLN",)


def _earn(owner: Any, engine: str, *, amount: Decimal, at: datetime) -> None:
    from billing.facade import ImportedEntry, import_entries

    entry = ImportedEntry(
        datetime.now(UTC),
        uuid4(),
        "audio_ms",
        0,
        owner.id,
        None,
        engine,
        "",
        "batch",
        1,
        1,
        amount,
        1,
        amount,
        "KRW",
        1,
        at,
    )
    assert import_entries([entry]) == 1
    assert UsageEntry.objects.using("system").filter(subject_id=entry.subject_id).count() == 1

"""A finished job is billed once, never above its hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from billing.facade import NO_CURRENCY, Cost, HoldMissing, costs_of, raise_hold, release, set_wallet
from tenants.facade import tenant_context

ONE_MINUTE = Decimal("0.006")
MINUTE_MS = 60_000


@pytest.fixture
def paid(alice: Any) -> Any:
    """Alice with one unit in her wallet."""
    set_wallet(alice.id, currency="USD", balance=Decimal(1))
    return alice


def test_settling_moves_the_money_from_hold_to_ledger(
    paid: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any],
    entries_of: Callable[..., Any], line: Callable[..., Any],
) -> None:  # fmt: skip
    done = job(paid)
    with inside(paid):
        done.hold(expected=10 * MINUTE_MS)
        cost = done.settle(line(3))

    (entry,) = entries_of(done)
    assert cost == Cost(3 * ONE_MINUTE, "USD")
    assert wallet_of(paid) == (1 - 3 * ONE_MINUTE, Decimal(0))
    assert (entry.raw_quantity, entry.billable_quantity, entry.amount) == (180_000, 180_000, 3 * ONE_MINUTE)
    assert (entry.kind, entry.sequence, entry.book_version, entry.livemode) == ("usage", 0, 1, True)
    assert entry.period == entry.origin_period == entry.occurred_at.date().replace(day=1)


def test_settling_twice_is_one_row_and_the_same_cost(
    paid: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any],
    entries_of: Callable[..., Any],
) -> None:  # fmt: skip
    done = job(paid)
    with inside(paid):
        done.hold()
    costs = []
    for _ in range(3):
        with inside(paid):
            costs.append(done.settle())

    assert costs == [Cost(ONE_MINUTE, "USD")] * 3
    assert len(entries_of(done)) == 1
    assert wallet_of(paid) == (1 - ONE_MINUTE, Decimal(0))


def test_settling_at_once_from_eight_workers_is_one_row(
    paid: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any],
    entries_of: Callable[..., Any], in_threads: Callable[..., Any],
) -> None:  # fmt: skip
    done = job(paid)
    with inside(paid):
        done.hold()

    def finish() -> Cost:
        with inside(paid):
            return done.settle()  # type: ignore[no-any-return]

    assert in_threads([finish] * 8) == [Cost(ONE_MINUTE, "USD")] * 8
    assert len(entries_of(done)) == 1
    assert wallet_of(paid) == (1 - ONE_MINUTE, Decimal(0))


def test_settling_again_after_a_months_end_stays_one_row(
    paid: Any, job: Callable[..., Any], inside: Callable[..., Any], entries_of: Callable[..., Any]
) -> None:
    first = datetime.now(UTC).date().replace(day=1)
    before_midnight = datetime.combine(first, time(), UTC) - timedelta(seconds=1)
    done = job(paid, before_midnight - timedelta(minutes=5))
    with inside(paid):
        done.hold()
    for finished in (before_midnight, before_midnight + timedelta(seconds=2), None):
        with inside(paid):
            assert done.settle(occurred_at=finished) == Cost(ONE_MINUTE, "USD")

    (entry,) = entries_of(done)
    assert (entry.occurred_at, entry.origin_period) == (before_midnight, before_midnight.date().replace(day=1))


def test_a_rolled_back_finish_bills_nothing_and_can_be_repeated(
    paid: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any],
    entries_of: Callable[..., Any],
) -> None:  # fmt: skip
    done = job(paid)
    with inside(paid):
        done.hold()
    with inside(paid):
        done.settle()
        transaction.set_rollback(True)
    assert (entries_of(done), wallet_of(paid)) == ([], (Decimal(1), ONE_MINUTE))

    with inside(paid):
        done.settle()
    assert wallet_of(paid) == (1 - ONE_MINUTE, Decimal(0))


def test_it_never_bills_above_the_hold(
    paid: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any],
    entries_of: Callable[..., Any], line: Callable[..., Any],
) -> None:  # fmt: skip
    done = job(paid)
    with inside(paid):
        done.hold(expected=2 * MINUTE_MS)
        costs = [done.settle(line(5), line(1, engine="pocketsphinx")) for _ in range(2)]

    adjust, *usage = entries_of(done)
    assert costs == [Cost(2 * ONE_MINUTE, "USD")] * 2
    assert [entry.amount for entry in usage] == [5 * ONE_MINUTE, Decimal("0.0006")]
    assert (adjust.kind, adjust.amount, adjust.billable_quantity) == ("adjust", Decimal("-0.0186"), 0)
    assert wallet_of(paid) == (1 - 2 * ONE_MINUTE, Decimal(0))


def test_each_line_keeps_its_engine_mode_and_price(
    paid: Any, job: Callable[..., Any], inside: Callable[..., Any], entries_of: Callable[..., Any],
    line: Callable[..., Any],
) -> None:  # fmt: skip
    done = job(paid)
    with inside(paid):
        done.hold(expected=10 * MINUTE_MS)
        done.settle(line(1), line(2, mode="sync"), line(4, engine="pocketsphinx", channels=2))

    shown = [(e.sequence, e.engine, e.mode, e.raw_quantity, e.unit_price, e.unit_size) for e in entries_of(done)]
    assert shown == [
        (0, "simulated", "batch", 60_000, ONE_MINUTE, 60_000),
        (1, "simulated", "sync", 120_000, ONE_MINUTE, 60_000),
        (2, "pocketsphinx", "batch", 240_000, Decimal("0.0006"), 60_000),
    ]


def test_a_test_keys_job_bills_nothing(
    paid: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any],
    entries_of: Callable[..., Any],
) -> None:  # fmt: skip
    done = job(paid)
    with inside(paid):
        done.hold(livemode=False)
        assert done.settle(livemode=False) == Cost(Decimal(0), NO_CURRENCY)
        assert costs_of([(done.id, done.created_at)]) == {}
    assert (entries_of(done), wallet_of(paid)) == ([], (Decimal(1), Decimal(0)))


def test_releasing_after_settling_changes_nothing(
    paid: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any]
) -> None:
    done = job(paid)
    with inside(paid):
        done.hold()
        done.settle()
        release(done.id)
    assert wallet_of(paid) == (1 - ONE_MINUTE, Decimal(0))


def test_a_job_that_was_released_cannot_be_billed(
    paid: Any, job: Callable[..., Any], inside: Callable[..., Any], entries_of: Callable[..., Any]
) -> None:
    done = job(paid)
    with inside(paid):
        done.hold()
        release(done.id)
    with pytest.raises(HoldMissing), inside(paid):
        done.settle()
    assert entries_of(done) == []


def test_racing_cycles_of_hold_raise_and_settle_conserve_money(
    paid: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any],
    in_threads: Callable[..., Any], line: Callable[..., Any],
) -> None:  # fmt: skip
    def cycle(number: int) -> list[tuple[Any, datetime]]:
        jobs = [job(paid) for _ in range(6)]
        for place, one in enumerate(jobs):
            with inside(paid):
                one.hold(expected=None)
            with inside(paid):
                raise_hold(one.id, engine="simulated", meter="audio_ms", quantity=(number + 1) * MINUTE_MS)
            with inside(paid):
                release(one.id) if place % 3 == 2 else one.settle(line(number + 1))
        return [(one.id, one.created_at) for one in jobs]

    jobs = [one for done in in_threads([lambda n=n: cycle(n) for n in range(8)]) for one in done]
    with tenant_context(paid.tenant):
        billed = sum((cost.amount for cost in costs_of(jobs).values()), Decimal(0))

    assert billed == sum(4 * (n + 1) * ONE_MINUTE for n in range(8))
    assert wallet_of(paid) == (1 - billed, Decimal(0))

"""Budgets, grants, streams and imports: money that is promised is never promised twice."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from told import check_told

from billing.facade import (
    BudgetExceeded,
    HoldMissing,
    InsufficientFunds,
    check,
    expire_grants,
    grant,
    place_hold,
    raise_hold,
    record_chunk,
    release,
    set_budget,
    set_low_at,
    set_wallet,
    tell_thresholds,
)
from billing.models import Budget, UsageEntry, Wallet

pytestmark = pytest.mark.usefixtures("migrated")
MINUTE = Decimal("0.006")
MINUTE_MS = 60_000


def told(someone: Any) -> list[str]:
    with connections["system"].cursor() as cursor:
        cursor.execute("SELECT body FROM outbox_event WHERE tenant_id = %s ORDER BY created_at", [someone.id])
        return [check_told(json.loads(bytes(body))).type for (body,) in cursor.fetchall()]


@pytest.mark.parametrize("own_key", [False, True], ids=["tenant", "key"])
def test_racing_jobs_never_overspend_a_hard_budget(
    alice: Any, inside: Callable[..., Any], in_threads: Callable[..., Any], own_key: bool
) -> None:
    set_budget(alice.id, name="b", amount=7 * MINUTE, api_key_id=alice.caller.key_id if own_key else None)

    def accept() -> bool:
        with inside(alice):
            try:
                place_hold(uuid4(), tenant_id=alice.id, livemode=True, currency="USD", meter="audio_ms",
                           engines=["simulated"], expected=MINUTE_MS, api_key_id=alice.caller.key_id)  # fmt: skip
            except BudgetExceeded:
                return False
        return True

    assert sorted(in_threads([accept] * 12)) == [False] * 5 + [True] * 7
    assert Budget.objects.using("system").get(tenant_id=alice.id).held == 7 * MINUTE


@pytest.mark.parametrize("own_key", [False, True], ids=["tenant", "key"])
def test_a_budget_is_looked_at_again_after_probing(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], own_key: bool
) -> None:
    key_id = alice.caller.key_id if own_key else None
    set_budget(alice.id, name="b", amount=5 * MINUTE, api_key_id=key_id)
    set_budget(alice.id, name="tells", amount=MINUTE, api_key_id=key_id, hard=False)
    done = job(alice)
    with inside(alice):
        done.hold(expected=None, api_key_id=key_id)
        with pytest.raises(BudgetExceeded, match=r"'b' of 0\.03 USD a month has no room"):
            raise_hold(done.id, engine="simulated", meter="audio_ms", quantity=6 * MINUTE_MS)
        raise_hold(done.id, engine="simulated", meter="audio_ms", quantity=5 * MINUTE_MS)


@pytest.mark.parametrize("own_key", [False, True], ids=["tenant", "key"])
def test_a_soft_budget_only_tells_and_each_threshold_once(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], line: Callable[..., Any], own_key: bool
) -> None:
    key_id = alice.caller.key_id if own_key else None
    set_budget(alice.id, name="soft", amount=4 * MINUTE, api_key_id=key_id, hard=False)
    set_budget(alice.id, name="another key's", amount=MINUTE, api_key_id=uuid4(), hard=False)
    for minutes in (2, 3):
        done = job(alice)
        with inside(alice):
            done.hold(expected=10 * MINUTE_MS, api_key_id=alice.caller.key_id)
            done.settle(line(minutes))
        assert [tell_thresholds() >= 0 for _ in range(2)] == [True, True]
    assert told(alice) == ["usage.threshold_reached", "budget.exhausted"]
    spent = dict(Budget.objects.using("system").filter(tenant_id=alice.id).values_list("name", "spent"))
    assert spent == {"soft": 5 * MINUTE, "another key's": 0}


def test_a_wallet_that_runs_low_is_told_once_until_it_is_filled_again(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], line: Callable[..., Any]
) -> None:
    set_wallet(alice.id, currency="USD", balance=10 * MINUTE)
    set_low_at(alice.id, amount=5 * MINUTE, actor="ann")
    tell_thresholds()
    assert told(alice) == []
    for minutes in (6, 1):
        done = job(alice)
        with inside(alice):
            done.hold(expected=minutes * MINUTE_MS)
            done.settle(line(minutes))
        tell_thresholds()
    assert told(alice) == ["wallet.low"]
    grant(alice.id, amount=Decimal(1), operation="pay", actor="ann")
    tell_thresholds()
    set_wallet(alice.id, currency="USD", balance=Decimal(0))
    tell_thresholds()
    assert told(alice) == ["wallet.low", "wallet.low"]


def test_grants_that_end_first_are_used_first_and_the_rest_is_taken_out(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], line: Callable[..., Any],
    wallet_of: Callable[..., Any],
) -> None:  # fmt: skip
    set_wallet(alice.id, currency="USD", balance=Decimal(0))
    soon = datetime.now(UTC) + timedelta(days=1)
    assert grant(alice.id, amount=Decimal(1), operation="pay-1", actor="ann")
    assert grant(alice.id, amount=Decimal("0.02"), operation="promo", actor="ann", expires_at=soon)
    assert not grant(alice.id, amount=Decimal(1), operation="pay-1", actor="ann")
    done = job(alice)
    with inside(alice):
        done.hold()
        done.settle(line(1))
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE wallet_grant SET expires_at = now() WHERE tenant_id = %s AND note = '' AND amount < 1",
                       [alice.id])  # fmt: skip
    assert expire_grants() == 1
    assert wallet_of(alice) == (Decimal(1), Decimal(0))  # 0.006 of the promotion was used, 0.014 is gone
    assert expire_grants() == 0
    assert [one for one in check() if str(alice.id) in one.subject] == []


def test_an_expiry_leaves_what_running_jobs_may_cost(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any]
) -> None:
    set_wallet(alice.id, currency="USD", balance=Decimal(0))
    grant(alice.id, amount=Decimal(1), operation="promo", actor="ann", expires_at=datetime.now(UTC))
    running = job(alice)
    with inside(alice):
        running.hold(expected=100 * MINUTE_MS)
    expire_grants()
    assert wallet_of(alice) == (100 * MINUTE, 100 * MINUTE)


class Crash(Exception):
    """The process dies here."""


def chunk(stream: Any, line: Callable[..., Any], sequence: int, *, at: datetime | None = None) -> None:
    """The next minute is held, heard and billed."""
    raise_hold(stream.id, engine="simulated", meter="audio_ms", quantity=MINUTE_MS, mode="stream")
    record_chunk(stream.id, tenant_id=stream.owner.id, livemode=True, api_key_id=None, sequence=sequence,
                 subject_created_at=stream.created_at, line=line(1, mode="stream"), occurred_at=at)  # fmt: skip


def test_a_stream_that_crashes_at_any_second_is_billed_once_and_loses_at_most_a_minute(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], line: Callable[..., Any],
    wallet_of: Callable[..., Any],
) -> None:  # fmt: skip
    """A simulated stream: each chunk dies before its commit, then after it and before the answer, and comes again."""
    set_wallet(alice.id, currency="USD", balance=Decimal(100))
    billed = Decimal(0)
    for crash_s in (1, 59, 60, 61, 119, 150, 181, 300):
        stream, heard_ms = job(alice), crash_s * 1_000
        with inside(alice):
            stream.hold()
        for sequence in range(heard_ms // MINUTE_MS):
            with contextlib.suppress(Crash), inside(alice):
                chunk(stream, line, sequence)
                raise Crash
            for _ in range(2):
                with inside(alice):
                    chunk(stream, line, sequence)
        entries = UsageEntry.objects.using("system").filter(subject_id=stream.id)
        assert [entry.sequence for entry in entries.order_by("sequence")] == list(range(heard_ms // MINUTE_MS))
        assert 0 <= heard_ms - sum(entry.raw_quantity for entry in entries) < MINUTE_MS
        billed += sum(entry.amount for entry in entries)
        with inside(alice):
            release(stream.id)
    assert wallet_of(alice) == (100 - billed, Decimal(0))


def test_a_streams_last_chunk_may_be_recorded_again_and_no_other(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], line: Callable[..., Any]
) -> None:
    stream, minute = job(alice), line(1, mode="stream")
    with inside(alice):
        stream.hold()
    with inside(alice):
        chunk(stream, line, 0)
    with inside(alice):
        raise_hold(stream.id, engine="simulated", meter="audio_ms", quantity=MINUTE_MS, mode="stream")
    record: Callable[[int], Any] = lambda sequence: record_chunk(  # noqa: E731
        stream.id, tenant_id=alice.id, livemode=True, api_key_id=None, subject_created_at=stream.created_at,
        sequence=sequence, line=minute, last=True,
    )  # fmt: skip
    costs = []
    for _ in range(2):  # the answer to the first was lost
        with inside(alice):
            costs.append(record(1))
    assert costs[0] == costs[1]
    assert costs[0].amount > 0
    assert UsageEntry.objects.using("system").filter(subject_id=stream.id).count() == 2
    with inside(alice), pytest.raises(HoldMissing):
        record(2)


def test_a_stream_over_a_months_end_is_in_both_months(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], line: Callable[..., Any], unused_month: date
) -> None:
    ends, stream = datetime(unused_month.year, 2, 1, tzinfo=UTC), job(alice)
    with inside(alice):
        stream.hold()
    for sequence, at in enumerate((ends - timedelta(seconds=30), ends + timedelta(seconds=30))):
        with inside(alice):
            chunk(stream, line, sequence, at=at)
    entries = UsageEntry.objects.using("system").filter(subject_id=stream.id).order_by("sequence")
    assert [entry.origin_period for entry in entries] == [unused_month, unused_month.replace(month=2)]


def test_a_wallet_is_named_when_it_and_no_budget_refuses(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any]
) -> None:
    set_wallet(alice.id, currency="USD", balance=MINUTE)
    set_budget(alice.id, name="wide", amount=Decimal(100))
    with inside(alice), pytest.raises(InsufficientFunds) as refused:
        job(alice).hold(expected=2 * MINUTE_MS)
    assert refused.value.code == "insufficient_funds"
    assert Wallet.objects.using("system").get(pk=alice.id).held == 0

"""A closed month is complete, never changes, and its hash can be computed again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connections

from billing.facade import (
    PeriodNotOver,
    all_entries,
    check,
    close_period,
    draft_statement,
    list_statements,
    make_partitions,
    rate_month,
    statement_of,
)
from billing.models import UsageEntry, Wallet
from billing.periods import content_of

pytestmark = pytest.mark.usefixtures("migrated")


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def during(month: date) -> datetime:
    return datetime(month.year, month.month, 15, 12, tzinfo=UTC)


def bill(someone: Any, new: Any, inside: Callable[..., Any], *, at: datetime) -> Any:
    with inside(someone):
        new.hold()
    with inside(someone):
        new.settle(occurred_at=at)
    return new


def reproduced(month: date) -> tuple[int, str]:
    with connections["system"].cursor() as cursor:
        return content_of(cursor, month)


def test_closing_counts_and_hashes_the_months_entries_once(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], unused_month: date
) -> None:
    for _ in range(3):
        bill(alice, job(alice), inside, at=during(unused_month))

    closed = close_period(unused_month)

    assert (closed.entries, closed.content_hash) == reproduced(unused_month)
    assert closed.entries == 3
    assert close_period(unused_month) == closed


def test_late_usage_counts_in_the_next_open_month_and_keeps_its_origin(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], unused_month: date, entries_of: Callable[..., Any]
) -> None:
    closed = [close_period(unused_month), close_period(next_month(unused_month))]
    late = bill(alice, job(alice), inside, at=during(unused_month))

    (entry,) = entries_of(late)
    assert entry.origin_period == unused_month
    assert entry.period == next_month(next_month(unused_month))
    assert [reproduced(one.period) for one in closed] == [(one.entries, one.content_hash) for one in closed]


def test_a_settle_repeated_after_the_close_stays_where_it_was(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], unused_month: date, entries_of: Callable[..., Any]
) -> None:
    done = bill(alice, job(alice), inside, at=during(unused_month))
    close_period(unused_month)
    with inside(alice):
        done.settle(occurred_at=during(unused_month))
    assert [entry.period for entry in entries_of(done)] == [unused_month]


def test_a_month_that_is_not_over_stays_open() -> None:
    with pytest.raises(PeriodNotOver, match="month after"):
        close_period(datetime.now(UTC).date().replace(day=1))


def test_a_month_goes_on_until_it_is_over_in_every_tenants_zone(new_tenant: Callable[..., Any]) -> None:
    new_tenant("where days end last", time_zone="Etc/GMT+12")
    with pytest.raises(PeriodNotOver, match=r"not over yet in Etc/GMT\+12"):
        close_period(datetime.now(UTC).date().replace(day=1))


def test_a_month_is_named_by_its_first_day() -> None:
    with pytest.raises(ValueError, match="first day"):
        close_period(date(1980, 1, 2))


@pytest.mark.parametrize("change", ["UPDATE billing_period SET status = 'open'", "DELETE FROM billing_period"])
def test_nobody_opens_a_closed_month_again(unused_month: date, change: str) -> None:
    close_period(unused_month)
    with pytest.raises(DatabaseError, match="is refused"), connections["owner"].cursor() as cursor:
        cursor.execute(change + " WHERE period = %s", [unused_month])


def test_a_close_waits_for_a_running_settlement(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], unused_month: date, in_threads: Callable[..., Any]
) -> None:
    done = job(alice)
    with inside(alice):
        done.hold()
    settled, finished = threading.Event(), []

    def settle_slowly() -> None:
        with inside(alice):
            done.settle(occurred_at=during(unused_month))
            settled.set()
            wait_for_a_waiting_lock()
            finished.append("settled")

    def close() -> int:
        assert settled.wait(timeout=30)
        entries = close_period(unused_month).entries
        finished.append("closed")
        return entries

    assert in_threads([settle_slowly, close]) == [None, 1]
    assert finished == ["settled", "closed"]


def wait_for_a_waiting_lock() -> None:
    for _ in range(2_000):
        with connections["system"].cursor() as cursor:
            cursor.execute("SELECT count(*), pg_sleep(0.005) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits for the month")


def test_closing_beside_eight_finishing_workers_puts_each_entry_in_exactly_one_statement(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], unused_month: date, in_threads: Callable[..., Any]
) -> None:
    months = [unused_month]
    for _ in range(11):
        months.append(next_month(months[-1]))
    working, ahead = threading.Semaphore(0), threading.Semaphore(16)  # neither side outruns the other, however slow

    def work() -> list[Any]:
        done = []
        for _ in range(12):
            assert ahead.acquire(timeout=30)
            done.append(bill(alice, job(alice), inside, at=during(unused_month)).id)
            working.release()
        return done

    def close_all() -> list[Any]:
        closed = []
        for month in months[:-1]:
            assert [working.acquire(timeout=30) for _ in range(6)] == [True] * 6
            closed.append(close_period(month))
            ahead.release(8)
            rate_month(month)
        return closed

    *worked, closed = in_threads([*[work] * 8, close_all])
    ids = [job_id for done in worked for job_id in done]
    entries = UsageEntry.objects.using("system").filter(subject_id__in=ids)
    by_month = [sum(1 for entry in entries if entry.period == month) for month in months]

    assert len(entries) == len(ids) == 96
    assert sum(by_month) == 96
    assert [one.entries for one in closed] == by_month[:-1]
    assert [reproduced(one.period) for one in closed] == [(one.entries, one.content_hash) for one in closed]
    assert sum(1 for number in by_month if number) > 2

    draft_statement(alice.id, period=months[-1])
    statements = list_statements(tenant_id=alice.id)
    told = [entry.subject_id for statement in statements for entry in all_entries(statement_of(statement.id))]
    assert sorted(told) == sorted(ids)
    assert sum(statement.entries for statement in statements) == 96


def test_a_full_check_finds_nothing_new(alice: Any, job: Callable[..., Any], inside: Callable[..., Any]) -> None:
    # Other tests leave differences on purpose: wallets filled by hand, invoices voided behind the platform's back.
    before = check()
    with inside(alice):
        job(alice).hold()
    assert check() == before


def test_a_check_finds_an_entry_put_into_a_closed_month(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], unused_month: date
) -> None:
    done = bill(alice, job(alice), inside, at=during(unused_month))
    close_period(unused_month)
    partition = f"usage_entry_{done.created_at:%Y%m}"
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO usage_entry SELECT (jsonb_populate_record(e, '{\"sequence\": 1}')).* FROM usage_entry AS e"
            " WHERE subject_created_at = %s AND subject_id = %s",
            [done.created_at, done.id],
        )
        try:
            found = [(one.what, one.subject) for one in check()]
        finally:
            cursor.execute(
                f"BEGIN; ALTER TABLE {partition} DISABLE TRIGGER usage_entry_no_change;"
                f" DELETE FROM {partition} WHERE subject_id = '{done.id}' AND sequence = 1;"
                f" ALTER TABLE {partition} ENABLE TRIGGER usage_entry_no_change;"
                f" DELETE FROM usage_delta WHERE id = (SELECT max(id) FROM usage_delta WHERE tenant_id = '{alice.id}');"
                " COMMIT"
            )
    month = f"{unused_month:%Y-%m}"
    assert [one for one in found if one[1] == month] == [
        ("closed month's entries", month), ("closed month's hash", month),
    ]  # fmt: skip


def test_a_check_finds_money_held_for_no_job(alice: Any, job: Callable[..., Any], inside: Callable[..., Any]) -> None:
    Wallet.objects.using("owner").create(tenant_id=alice.id, currency="USD", balance=0, held=1)
    try:
        found = check()
    finally:
        Wallet.objects.using("owner").filter(pk=alice.id).update(held=0)
    mine = [(one.expected, one.found) for one in found if one.subject == str(alice.id)]
    assert mine == [("0", "1.000000000")]


def test_partitions_are_made_ahead_by_the_system_role() -> None:
    assert make_partitions() == 0

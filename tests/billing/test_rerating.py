"""Closed months rated again from the ledger: nothing that is decided later changes what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections, transaction

from billing.facade import (
    ChangesPast,
    WrongStatus,
    approve_book,
    check,
    close_period,
    draft_book,
    forget_books,
    list_statements,
    rate_month,
    set_contract,
)
from billing.statements.rerating import rated_otherwise
from events.models import AuditEntry

pytestmark = pytest.mark.usefixtures("migrated")
LONG_AGO = "1800-01-01T00:00:00Z"


def commit(minimum: str, *, since: str = LONG_AGO, **whose: Any) -> int:
    prices = [{"engine": "simulated", "mode": "batch", "meter": "audio_ms", "unit_price": "0.006", "unit_size": 60_000}]
    document = {"currency": "USD", "minimum_commit": minimum, "effective_from": since, "prices": prices, **whose}
    return draft_book(document, actor="ann")


@pytest.fixture
def rated(alice: Any, job: Callable[..., Any], inside: Callable[..., Any], line: Callable[..., Any],
          unused_month: date) -> Any:  # fmt: skip
    """Alice's statement of a month with ten minutes, a tax and a minimum of 5 USD; and the job."""
    approve_book(commit("5", tenant_id=str(alice.id)), actor="ben", retroactive=True)
    forget_books()
    set_contract(alice.id, starts_on=unused_month, actor="ops", tax_name="VAT", tax_percent=Decimal(10))
    done = job(alice)
    with inside(alice):
        done.hold(expected=600_000)
        done.settle(line(10), occurred_at=datetime(unused_month.year, 1, 15, tzinfo=UTC))
    close_period(unused_month)
    rate_month(unused_month)
    (statement,) = list_statements(period=unused_month, tenant_id=alice.id)
    assert statement.totals.total == Decimal("5.50")
    return statement, done


def differing(month: date, *, using: str = "system") -> set[str]:
    return {one.subject for one in rated_otherwise(month, using=using)}


def test_a_book_approved_later_for_the_past_changes_no_rated_month(rated: Any, alice: Any, unused_month: date) -> None:
    approve_book(commit("7", tenant_id=str(alice.id)), actor="ben", retroactive=True)
    forget_books()
    assert differing(unused_month) == set()


def test_an_entry_that_was_changed_beside_the_triggers_is_found(rated: Any, unused_month: date) -> None:
    statement, job = rated
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass FROM usage_entry WHERE subject_id = %s", [job.id])
        cursor.execute(f"ALTER TABLE {cursor.fetchone()[0]} DISABLE TRIGGER USER")
        # Another engine: count, quantity and amount of the tenant's month stay as they were.
        cursor.execute("UPDATE usage_entry SET engine = 'pocketsphinx' WHERE subject_id = %s", [job.id])
        found = differing(unused_month, using="owner")
        transaction.set_rollback(True, using="owner")
    assert str(statement.id) in found
    assert differing(unused_month) == set()


def test_a_check_rates_the_months_that_it_is_asked_for(
    rated: Any, unused_month: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[date] = []
    monkeypatch.setattr("billing.checks.rated_otherwise", lambda period, **_: seen.append(period) or [])
    check(months=[])
    assert seen == []
    check(months=[unused_month])
    assert seen == [unused_month]
    check()
    assert unused_month in seen[1:]


def test_the_terms_of_a_rated_month_stay(rated: Any, alice: Any, unused_month: date) -> None:
    with pytest.raises(WrongStatus, match="begin later"):
        set_contract(alice.id, starts_on=unused_month, actor="ops", plan="another")
    before = unused_month.replace(year=unused_month.year - 1)
    set_contract(alice.id, starts_on=before, actor="ops", plan="of other months")
    set_contract(alice.id, starts_on=unused_month.replace(month=2), actor="ops", plan="another")
    assert differing(unused_month) == set()


def test_a_minimum_commit_does_not_change_the_past_unasked(alice: Any) -> None:
    version = commit("5", tenant_id=str(alice.id))
    with pytest.raises(ChangesPast, match="--retroactive"):
        approve_book(version, actor="ben")
    approve_book(version, actor="ben", retroactive=True)
    told = AuditEntry.objects.using("system").get(action="book.approved", subject=str(version))
    assert told.after["retroactive"] is True

    without = commit("0", tenant_id=str(alice.id))  # it would take the commit away
    with pytest.raises(ChangesPast):
        approve_book(without, actor="ben")


def test_books_that_look_ahead_or_have_no_commit_need_nothing(alice: Any) -> None:
    approve_book(commit("0", tenant_id=str(alice.id)), actor="ben")
    approve_book(commit("5", plan="a plan of this test", since="2100-01-01T00:00:00Z"), actor="ben")

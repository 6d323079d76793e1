"""From the ledger to a closed statement: rated once, agreed by two people, never changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connections, transaction
from told import check_told

from billing.checks import altered_statements
from billing.facade import (
    MeteringOpen,
    SamePerson,
    WrongStatus,
    approve_statement,
    close_period,
    close_statement,
    draft_statement,
    list_statements,
    mark_pushed,
    rate_month,
    review_statement,
    set_contract,
    statement_of,
)
from billing.statements.canonical import content_hash
from billing.statements.groups import groups_of
from billing.statements.lines import lines_of

pytestmark = pytest.mark.usefixtures("migrated")


@pytest.fixture
def use(job: Callable[..., Any], inside: Callable[..., Any], line: Callable[..., Any]) -> Callable[..., Any]:
    """Bill someone's minutes at a moment."""

    def bill(someone: Any, minutes: int, *, at: datetime) -> Any:
        done = job(someone)
        with inside(someone):
            done.hold(expected=minutes * 60_000)
            done.settle(line(minutes), occurred_at=at)
        return done

    return bill


def during(month: date) -> datetime:
    return datetime(month.year, month.month, 15, 12, tzinfo=UTC)


def rated(someone: Any, month: date) -> Any:
    close_period(month)
    rate_month(month)
    (found,) = list_statements(period=month, tenant_id=someone.id)
    return statement_of(found.id)


def test_a_draft_may_be_made_again_and_again(alice: Any, use: Callable[..., Any], unused_month: date) -> None:
    use(alice, 3, at=during(unused_month))
    first = draft_statement(alice.id, period=unused_month)
    use(alice, 4, at=during(unused_month))
    second = draft_statement(alice.id, period=unused_month)

    assert [(one.status, one.totals.total, one.entries) for one in (first, second)] == [
        ("draft", Decimal("0.02"), 1), ("draft", Decimal("0.04"), 2),
    ]  # fmt: skip
    assert [(line.quantity, line.formula) for line in second.lines] == [(420_000, "420000 * 0.006 / 60000")]
    assert [one.id for one in list_statements(tenant_id=alice.id)] == [second.id]


def test_it_is_rated_only_when_the_month_takes_no_more_entries(
    alice: Any, use: Callable[..., Any], unused_month: date
) -> None:
    use(alice, 1, at=during(unused_month))
    with pytest.raises(MeteringOpen):
        rate_month(unused_month)
    done = rated(alice, unused_month)
    assert (done.status, done.totals.total, rate_month(unused_month)) == ("rated", Decimal("0.01"), 0)
    with pytest.raises(WrongStatus):
        draft_statement(alice.id, period=unused_month)


def test_two_people_bring_it_to_its_end(alice: Any, use: Callable[..., Any], unused_month: date) -> None:
    use(alice, 1, at=during(unused_month))
    done = rated(alice, unused_month)
    with pytest.raises(WrongStatus):
        approve_statement(done.id, actor="bob")
    review_statement(done.id, actor="alice")
    with pytest.raises(SamePerson):
        approve_statement(done.id, actor="alice")
    assert approve_statement(done.id, actor="bob").approved_by == "bob"
    assert [mark_pushed(done.id, actor="bob").status for _ in range(2)] == ["pushed"] * 2
    closed = close_statement(done.id, actor="bob")
    assert (closed.status, closed.content_hash) == ("closed", done.content_hash)
    assert content_hash(closed.terms, closed.lines) == closed.content_hash
    with connections["system"].cursor() as cursor:
        cursor.execute("SELECT body FROM outbox_event WHERE tenant_id = %s", [alice.id])
        [event] = [check_told(json.loads(bytes(body))) for (body,) in cursor.fetchall()]
    assert (event.type, event.data.due) == ("statement.ready", closed.totals.due)


def test_rating_again_reproduces_a_closed_statement(alice: Any, use: Callable[..., Any], unused_month: date) -> None:
    set_contract(
        alice.id, starts_on=unused_month, actor="ops", legal_name="㈜한국", tax_name="VAT", tax_percent=Decimal(10)
    )
    for minutes in (7, 11, 13):
        use(alice, minutes, at=during(unused_month))
    done = rated(alice, unused_month)
    terms = replace(done.terms)
    lines = lines_of(terms, groups_of(alice.id, period=unused_month, using="system"), book_of=lambda _: None)
    assert content_hash(terms, lines) == done.content_hash
    assert [(line.kind, line.amount) for line in done.lines] == [("usage", Decimal("0.19")), ("tax", Decimal("0.02"))]
    assert (done.terms.legal_name, done.totals.total) == ("㈜한국", Decimal("0.21"))


def test_late_usage_is_a_line_of_the_next_statement(alice: Any, use: Callable[..., Any], unused_month: date) -> None:
    use(alice, 10, at=during(unused_month))
    first = rated(alice, unused_month)
    use(alice, 20, at=during(unused_month))
    second = draft_statement(alice.id, period=date(unused_month.year, 2, 1))

    assert statement_of(first.id) == first
    assert [(line.kind, line.origin_period, line.amount) for line in second.lines] == [
        ("late", unused_month, Decimal("0.12"))
    ]


def test_a_month_begins_at_the_tenants_own_midnight(
    new_tenant: Callable[..., Any], use: Callable[..., Any], unused_month: date
) -> None:
    seoul = new_tenant("seoul", time_zone="Asia/Seoul")
    january = unused_month.replace(year=unused_month.year)
    midnight = datetime(january.year, 2, 1, tzinfo=ZoneInfo("Asia/Seoul"))  # 15:00 UTC in most years
    use(seoul, 1, at=midnight - timedelta(minutes=1))
    use(seoul, 2, at=midnight)
    first, second = (draft_statement(seoul.id, period=january.replace(month=month)) for month in (1, 2))
    assert [one.lines[0].quantity for one in (first, second)] == [60_000, 120_000]
    assert first.terms.ends_at == second.terms.starts_at == midnight


@pytest.mark.parametrize("change", [
    "UPDATE statement SET total = 1, due = 1, subtotal = 1 WHERE id = %s",
    "UPDATE statement SET status = 'draft' WHERE id = %s",
    "DELETE FROM statement WHERE id = %s",
    "UPDATE statement_line SET amount = 1 WHERE statement_id = %s",
    "DELETE FROM statement_line WHERE statement_id = %s",
])  # fmt: skip
def test_not_even_the_owner_changes_a_rated_statement(
    alice: Any, use: Callable[..., Any], unused_month: date, change: str
) -> None:
    use(alice, 1, at=during(unused_month))
    done = rated(alice, unused_month)
    with pytest.raises(DatabaseError, match="is refused"), connections["owner"].cursor() as cursor:
        cursor.execute(change, [done.id])


def test_a_check_finds_a_line_that_was_changed_beside_the_triggers(
    alice: Any, use: Callable[..., Any], unused_month: date
) -> None:
    use(alice, 1, at=during(unused_month))
    done = rated(alice, unused_month)
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        assert str(done.id) not in {one.subject for one in altered_statements(using="owner")}
        cursor.execute("ALTER TABLE statement_line DISABLE TRIGGER USER")
        cursor.execute("UPDATE statement_line SET quantity = quantity + 1 WHERE statement_id = %s", [done.id])
        (altered,) = [one for one in altered_statements(using="owner") if one.subject == str(done.id)]
        transaction.set_rollback(True, using="owner")
    assert (altered.what, altered.expected) == ("statement's hash", done.content_hash)


def test_a_tenants_currency_and_zone_are_frozen(alice: Any) -> None:
    for change in ("currency = 'KRW'", "time_zone = 'Asia/Seoul'"):
        with pytest.raises(DatabaseError, match="new tenant"), connections["owner"].cursor() as cursor:
            cursor.execute(f"UPDATE tenant SET {change} WHERE id = %s", [alice.id])

"""Lists on finance's pages: narrowed, sorted, in pages, exported whole, and honest about what they leave out."""

from __future__ import annotations

import csv
import doctest
import io
import types
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from console.finance import charts, lists, tables
from tests.collecting.conftest import a_month, use  # noqa: F401  # a fixture
from tests.finance.conftest import Browser
from tests.finance.test_at_work import payer, shown_id  # noqa: F401  # a fixture


@pytest.mark.parametrize("module", [charts, lists, tables])
def test_its_examples(module: types.ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


def csv_rows(who: Browser, where: str) -> list[list[str]]:
    answer = who.get(f"{where}&format=csv")
    assert answer.status == 200, answer.text
    return list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"))))


@pytest.fixture
def where(payer: Any, a_month: date) -> str:  # noqa: F811
    """The ledger of a tenant with jobs of 100, 200 and 300 minutes."""
    return f"/finance/ledger?month={a_month:%Y-%m}&tenant={shown_id(payer)}"


@pytest.fixture
def rows_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of two rows."""
    from console.finance import handling, ledger, lists

    for module in (handling, ledger, lists):
        monkeypatch.setattr(module, "PAGE", 2)


def test_a_list_is_sorted_both_ways_and_its_export_alike(where: str, person: Callable[..., Browser]) -> None:
    viewer = person("sort@example.com", "viewer")
    assert "sort=13" in viewer.get(where).text
    assert "sort=-13" in viewer.get(f"{where}&sort=13").text
    for order, reverse in (("13", False), ("-13", True)):
        amounts = [Decimal(row[13]) for row in csv_rows(viewer, f"{where}&sort={order}")[1:-1]]
        assert amounts == sorted(amounts, reverse=reverse)
        assert len(set(amounts)) == 3
    for wrong in ("99", "a", "-", "²"):
        assert viewer.get(f"{where}&sort={wrong}").status == 200


def test_a_page_has_the_whole_lists_totals_and_an_export_all_its_rows(
    where: str, person: Callable[..., Browser], rows_of_two: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.finance import ledger

    viewer = person("whole@example.com", "viewer")
    page = viewer.get(where).text
    assert page.count("<tr>") == 1 + 2 + 1
    assert "<dt>Billed</dt><dd>3.6 USD" in page
    assert "from=2" in page
    assert "sort=" not in page  # a page of a longer list: sorting it would sort a part
    assert viewer.get(f"{where}&from=2").text.count("<tr>") == 1 + 1 + 1
    rows = csv_rows(viewer, where)
    assert len(rows) == 1 + 3 + 1
    assert sum(Decimal(row[13]) for row in rows[1:-1]) == Decimal(rows[-1][13])
    monkeypatch.setattr(ledger, "MOST", 2)
    assert viewer.get(f"{where}&format=csv").status == 422


def test_costs_are_not_added_to_what_was_billed(
    payer: Any, where: str, a_month: date, person: Callable[..., Browser]  # noqa: F811
) -> None:  # fmt: skip
    from billing.models import UsageEntry

    entry = UsageEntry.objects.using("owner").filter(tenant_id=payer.id).first()
    assert entry is not None
    entry.kind, entry.amount = "cost", Decimal("0.5")
    entry.save(using="owner", force_insert=True)
    viewer = person("costs@example.com", "viewer")
    page = viewer.get(where).text
    assert "<dt>Billed</dt><dd>3.6 USD" in page
    assert "<dt>Cost</dt><dd>0.5 USD" in page
    assert "<tfoot>" not in page
    assert csv_rows(viewer, f"{where}&kind=cost")[-1][13:15] == ["0.5", "USD"]


def test_statements_are_narrowed_and_summed_up_in_one_currency(
    a_month: date, new_tenant: Callable[..., Any], person: Callable[..., Browser], rows_of_two: None  # noqa: F811
) -> None:  # fmt: skip
    from billing.facade import draft_statement

    for name, currency in (("narrow 1", "USD"), ("narrow 2", "USD"), ("narrow 3", "USD"), ("narrow 4", "KRW")):
        owner = new_tenant(name, currency=currency)
        use(owner, minutes=60, month=a_month, currency=currency)
        draft_statement(owner.id, period=a_month)
    viewer = person("narrow@example.com", "viewer")
    own = f"/finance/statements?month={a_month:%Y-%m}&tenant=narrow"
    assert "1-2 / 4" in viewer.get(own).text
    assert "<tfoot>" not in viewer.get(own).text  # two currencies
    dollars = csv_rows(viewer, f"{own}&currency=usd")
    assert {row[0] for row in dollars[1:]} == {"narrow 1", "narrow 2", "narrow 3", "Total"}
    assert sum(Decimal(row[5]) for row in dollars[1:-1]) == Decimal(dollars[-1][5]) > 0
    second = viewer.get(f"{own}&currency=usd&from=2").text
    assert "3-3 / 3" in second
    assert "<tfoot>" in second


@pytest.mark.parametrize("page", ["wallets", "receivables", "adjustments", "prices", "rates", "top-ups"])
def test_every_list_can_be_narrowed(page: str, person: Callable[..., Browser]) -> None:
    viewer = person(f"{page}@example.com", "viewer")
    shown = viewer.get(f"/finance/{page}?currency=nowhere").text
    assert 'name="currency" value="nowhere"' in shown
    assert "There is nothing here yet" in shown


def test_the_audit_log_is_narrowed_by_who_did_what(person: Callable[..., Browser]) -> None:
    from billing.facade import draft_book

    draft_book({"currency": "USD", "effective_from": "2031-01-01T00:00:00Z", "prices": []}, actor="Searched.For")
    auditor = person("search@example.com", "auditor")
    rows = csv_rows(auditor, "/finance/audit-log?actor=searched.for&action=book")
    assert [row[1:3] for row in rows[1:]] == [["Searched.For", "book.drafted"]]
    assert "There is nothing here yet" in auditor.get("/finance/audit-log?actor=nobody-at-all").text


def test_a_line_tells_how_many_entries_it_leaves_out_and_its_export_leaves_out_none(
    payer: Any, a_month: date, person: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    from billing.facade import draft_statement
    from console.finance import statements

    statement, viewer = draft_statement(payer.id, period=a_month), person("left@example.com", "viewer")
    line = f"/finance/statements/{statement.id}/lines/0?"
    assert "Only the first" not in viewer.get(line).text
    monkeypatch.setattr(statements, "MAX_ENTRIES", 2)
    assert "CSV and XLSX hold all of them: 2 / 3" in viewer.get(line).text
    rows = csv_rows(viewer, line)
    assert int(rows[-1][4]) == statement.lines[0].quantity
    monkeypatch.setattr(statements, "MOST", 2)
    assert viewer.get(f"{line}&format=csv").status == 422


def test_a_line_that_is_not_there_says_what_to_do(
    payer: Any, a_month: date, person: Callable[..., Browser]  # noqa: F811
) -> None:  # fmt: skip
    from billing.facade import draft_statement

    statement, viewer = draft_statement(payer.id, period=a_month), person("none@example.com", "viewer")
    answer = viewer.get(f"/finance/statements/{statement.id}/lines/99")
    assert (answer.status, "choose one" in answer.text) == (404, True)

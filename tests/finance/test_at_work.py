"""Finance at work: a month from the ledger to the collected invoice, by people with different roles."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from tests.collecting.conftest import (  # noqa: F401  # fixtures
    a_month,
    at_stripe,
    collect,
    use,
)
from tests.fakes.stripe_loopback.server import LoopbackStripe
from tests.finance.conftest import Browser


@pytest.fixture
def payer(new_tenant: Callable[..., Any], a_month: date) -> Any:  # noqa: F811
    """A tenant with three jobs in a past month, to be collected by Stripe."""
    from billing.facade import set_contract

    owner = new_tenant("=cmd() 한국", currency="USD")
    set_contract(owner.id, starts_on=a_month, actor="ops", collection="stripe", tax_name="VAT", tax_percent=Decimal(10))
    for minutes in (100, 200, 300):
        use(owner, minutes=minutes, month=a_month, currency="USD")
    return owner


def shown_id(someone: Any) -> str:
    from apikit import ids

    return ids.show(ids.TENANT, someone.id)


def test_a_month_is_closed_by_two_people_and_collected(
    payer: Any, a_month: date, person: Callable[..., Browser], at_stripe: LoopbackStripe,  # noqa: F811
    collect: Callable[[], None],  # noqa: F811
) -> None:  # fmt: skip
    from billing.facade import list_statements

    operator, approver = person("op@example.com", "operator"), person("ap@example.com", "approver")
    month = f"{a_month:%Y-%m}"
    board = operator.get(f"/finance/close?month={month}").text
    assert "usage not yet complete" in board
    for step in ("close", "rate"):
        assert operator.post(f"/finance/close/{step}", month=month).status == 303
    (statement,) = list_statements(period=a_month, tenant_id=payer.id)
    own = f"/finance/statements/{statement.id}"
    assert "not reviewed" in operator.get(f"/finance/close?month={month}").text
    assert operator.post(f"{own}/approve").status == 403
    assert operator.post(f"{own}/review").status == 303
    assert approver.post(f"{own}/approve").status == 303
    assert operator.post(f"{own}/push").status == 303
    collect()
    assert approver.post(f"{own}/close").status == 303
    assert "<dd>closed</dd>" in operator.get(own).text
    (invoice,) = at_stripe.account.every("invoice")
    assert invoice["total"] == int(statement.totals.due * 100)
    shown = operator.get("/finance/receivables").text
    assert f">{statement.totals.due.normalize():f}<" in shown


def test_one_person_cannot_do_both(payer: Any, a_month: date, person: Callable[..., Browser]) -> None:  # noqa: F811
    from billing.facade import close_period, list_statements, rate_month

    close_period(a_month)
    rate_month(a_month)
    (statement,) = list_statements(period=a_month, tenant_id=payer.id)
    both = person("both2@example.com", "operator", "approver")
    assert both.post(f"/finance/statements/{statement.id}/review").status == 303
    refused = both.post(f"/finance/statements/{statement.id}/approve")
    assert refused.status == 409


def test_a_line_is_explained_by_its_entries(payer: Any, a_month: date, person: Callable[..., Browser]) -> None:  # noqa: F811
    from billing.facade import draft_statement

    statement = draft_statement(payer.id, period=a_month)
    viewer = person("view@example.com", "viewer")
    page = viewer.get(f"/finance/statements/{statement.id}/lines/0").text
    assert statement.lines[0].formula in page
    assert "<dt>Price book</dt><dd>1</dd>" in page
    exported = viewer.get(f"/finance/statements/{statement.id}/lines/0?format=csv")
    rows = list(csv.reader(io.StringIO(exported.body.decode("utf-8-sig"))))
    assert len(rows) == 1 + 3 + 1
    assert sum(int(row[4]) for row in rows[1:-1]) == int(rows[-1][4]) == statement.lines[0].quantity


def test_an_adjustment_needs_another_person(payer: Any, person: Callable[..., Browser]) -> None:
    from billing.facade import list_adjustments

    asking, other = person("ask@example.com", "operator", "approver"), person("dec@example.com", "approver")
    wanted = {"tenant": shown_id(payer), "amount": "-1.50", "reason": "goodwill", "text": "outage of the 3rd"}
    assert asking.post("/finance/adjustments", **wanted).status == 303
    (made,) = list_adjustments(tenant_id=payer.id)
    assert asking.post(f"/finance/adjustments/{made.id}/approve").status == 409
    assert f"/finance/adjustments/{made.id}/approve" in other.get("/finance/adjustments").text
    assert other.post(f"/finance/adjustments/{made.id}/approve").status == 303
    (done,) = list_adjustments(tenant_id=payer.id)
    assert (done.status, done.approved_by) == ("approved", "dec@example.com")
    for wrong in ({"amount": "NaN"}, {"amount": "a lot"}, {"text": ""}, {"tenant": "nobody"}, {"reason": "because"}):
        assert asking.post("/finance/adjustments", **{**wanted, **wrong}).status == 422


def test_exports_hold_exactly_what_is_shown_and_run_nothing(
    payer: Any, a_month: date, person: Callable[..., Browser]  # noqa: F811
) -> None:  # fmt: skip
    viewer = person("ex@example.com", "viewer")
    where = f"/finance/ledger?month={a_month:%Y-%m}&tenant={shown_id(payer)}"
    page = viewer.get(where).text
    rows = list(csv.reader(io.StringIO(viewer.get(f"{where}&format=csv").body.decode("utf-8-sig"))))
    book = openpyxl.load_workbook(io.BytesIO(viewer.get(f"{where}&format=xlsx").body))
    cells = [list(row) for row in book.active.iter_rows()]  # type: ignore[union-attr]
    assert len(rows) == len(cells) == page.count("<tr>") == 1 + 3 + 1
    assert {row[1] for row in rows[1:-1]} == {"'=cmd() 한국"}
    assert {cell.data_type for row in cells for cell in row} <= {"s", "inlineStr", "n"}  # text or number, never "f"
    amounts = [Decimal(row[13]) for row in rows[1:]]
    assert sum(amounts[:-1]) == amounts[-1] == Decimal("3.6")
    assert [Decimal(str(row[13].value)) for row in cells[1:]] == amounts


def test_prices_are_drafted_by_one_and_approved_by_another(person: Callable[..., Browser]) -> None:
    pat, kim = person("pat@example.com", "pricing_admin"), person("kim@example.com", "pricing_admin")
    form = {"effective_from": "2031-01-01T00:00:00Z", "prices": "simulated batch audio_ms 0.007", "note": "2031"}
    made = pat.post("/finance/prices/1/draft", **form)
    assert made.status == 303
    where = made.headers["location"]
    assert "0.007" in pat.get(where).text
    assert pat.post(f"{where}/approve").status == 409
    assert kim.post(f"{where}/approve").status == 303
    assert "approved" in kim.get(where).text
    unknown = pat.post("/finance/prices/1/draft", **{**form, "prices": "nobody batch audio_ms 1"})
    assert unknown.status == 422


def test_the_last_reconciliation_is_shown_and_another_asked_for(person: Callable[..., Browser]) -> None:
    from billing.facade import reconcile_once, reconciliation_runs

    where = "/finance/reconciliation"
    operator, viewer = person("rec@example.com", "operator"), person("look@example.com", "viewer")
    while reconcile_once():
        pass
    assert viewer.post(f"{where}/run").status == 403
    assert operator.get(f"{where}/run").status == 405
    assert f"{where}/run" not in viewer.get(where).text
    assert f"{where}/run" in operator.get(where).text

    assert operator.post(f"{where}/run").status == 303
    assert "rec@example.com</dt><dd>waits" in viewer.get(where).text
    assert reconcile_once()
    last = reconciliation_runs()[0]
    page = viewer.get(where).text
    assert f"Differences: {last.found}" in page
    assert ("Everything agrees." in page) == (last.found == 0)

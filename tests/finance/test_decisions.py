"""Exchange rates, what-if and reversals on finance's pages, and who may do which."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from console.finance.roles import RIGHTS
from tests.collecting.conftest import a_month, use  # noqa: F401  # a fixture
from tests.finance.conftest import Browser

RATES = {"effective_from": "2031-01-01", "rates": "KWD ISK 412.5\nISK KWD 0.0024", "source": "central bank"}
STEPS = {  # path: who may; what stands there need not exist, the right is asked for first
    "/finance/rates": "price",
    "/finance/rates/999999/approve": "price",
    "/finance/prices/999999/draft": "price",
    "/finance/prices/999999/approve": "price",
    f"/finance/jobs/{uuid4()}/reverse": "request",
    "/finance/adjustments": "request",
    "/finance/top-ups": "request",
    f"/finance/statements/{uuid4()}/credit-note": "request",
    f"/finance/statements/{uuid4()}/void": "request",
    f"/finance/adjustments/{uuid4()}/approve": "approve",
    f"/finance/adjustments/{uuid4()}/reject": "approve",
    "/finance/close/close": "close",
    "/finance/reconciliation/run": "close",
    f"/finance/statements/{uuid4()}/review": "close",
    f"/finance/statements/{uuid4()}/approve": "approve",
    f"/finance/statements/{uuid4()}/push": "close",
    f"/finance/statements/{uuid4()}/close": "approve",
}


def csv_rows(who: Browser, where: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(who.get(where).body.decode("utf-8-sig"))))


@pytest.mark.parametrize("role", RIGHTS)
def test_each_role_takes_its_own_steps_and_no_other(role: str, person: Callable[..., Browser]) -> None:
    someone = person(f"matrix-{role}@example.com", role)
    for path, right in STEPS.items():
        status = someone.post(path, month="not-a-month").status
        assert (status != 403) == (right in RIGHTS[role]), (role, path, status)


def test_exchange_rates_are_drafted_by_one_and_approved_by_another(person: Callable[..., Browser]) -> None:
    pat, kim = person("fx-pat@example.com", "pricing_admin"), person("fx-kim@example.com", "pricing_admin")
    assert pat.post("/finance/rates", **RATES).status == 303
    mine = [row for row in csv_rows(kim, "/finance/rates?format=csv") if row[7] == "fx-pat@example.com"]
    assert {(row[2], row[3], row[4], row[6]) for row in mine} == {
        ("KWD", "ISK", "412.5", "draft"), ("ISK", "KWD", "0.0024", "draft"),
    }  # fmt: skip
    approving = f"/finance/rates/{mine[0][0]}/approve"
    assert approving not in pat.get("/finance/rates").text
    assert approving in kim.get("/finance/rates").text
    assert pat.post(approving).status == 409
    assert kim.post(approving).status == 303
    assert kim.post(approving).status == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {"rates": ""}, {"rates": "USD KRW"}, {"rates": "USD KRW -1"}, {"rates": "USD KRW NaN"}, {"rates": "USD USD 1"},
        {"rates": "USD KRW 1\nUSD KRW 2"}, {"rates": "USD XQX 1"}, {"rates": "USD KRW 0.0000000000001"},
        {"effective_from": "tomorrow"}, {"source": " "},
    ],
)  # fmt: skip
def test_wrong_exchange_rates_leave_nothing(wrong: dict[str, str], person: Callable[..., Browser]) -> None:
    pat = person("fx-wrong@example.com", "pricing_admin")
    assert pat.post("/finance/rates", **{**RATES, **wrong}).status in (409, 422)
    assert "fx-wrong@example.com" not in {row[7] for row in csv_rows(pat, "/finance/rates?format=csv")}


def test_a_draft_tells_what_a_past_month_would_have_cost(
    person: Callable[..., Browser], new_tenant: Callable[..., Any], a_month: date  # noqa: F811
) -> None:  # fmt: skip
    from billing.facade import draft_book, draft_statement

    owner = new_tenant("what if 한국", currency="USD")
    use(owner, minutes=60, month=a_month, currency="USD")
    was = draft_statement(owner.id, period=a_month)
    line = was.lines[0]
    price = {
        "engine": "simulated", "mode": "batch", "meter": "audio_ms", "unit_price": str(line.unit_price * 2),
        "unit_size": line.unit_size,
    }  # fmt: skip
    draft = draft_book(
        {"currency": "USD", "effective_from": "2031-01-01T00:00:00Z", "prices": [price]}, actor="pat@example.com"
    )
    viewer = person("if@example.com", "viewer")
    where = f"/finance/prices/{draft}/what-if?month={a_month:%Y-%m}"
    assert f"/finance/prices/{draft}/what-if" in viewer.get(f"/finance/prices/{draft}").text
    (row,) = [one for one in csv_rows(viewer, f"{where}&format=csv") if one[0] == "what if 한국"]
    subtotal = was.totals.subtotal
    assert [Decimal(one) for one in row[2:]] == [subtotal, 2 * subtotal, subtotal]
    assert "what if 한국" in viewer.get(where).text


def test_a_job_is_taken_back_by_two_people(
    person: Callable[..., Browser], new_tenant: Callable[..., Any], a_month: date  # noqa: F811
) -> None:  # fmt: skip
    from apikit import ids
    from billing.facade import draft_statement, list_adjustments

    owner = new_tenant("taken back", currency="USD")
    use(owner, minutes=60, month=a_month, currency="USD")
    asking, other = person("rev-ask@example.com", "operator", "approver"), person("rev@example.com", "approver")
    ledger = f"/finance/ledger?month={a_month:%Y-%m}&tenant={ids.show(ids.TENANT, owner.id)}"
    job = csv_rows(asking, f"{ledger}&format=csv")[1][2]
    own = f"/finance/jobs/{job}/reverse"
    assert own in asking.get(f"{ledger}&job={job}").text
    assert own not in other.get(f"{ledger}&job={job}").text
    assert asking.post(own, reason="quality", text="").status == 422
    assert asking.post(own, reason="quality", text="the wrong channel was heard").status == 303
    (asked,) = list_adjustments(tenant_id=owner.id)
    assert asking.post(f"/finance/adjustments/{asked.id}/approve").status == 409
    assert other.post(f"/finance/adjustments/{asked.id}/approve").status == 303
    assert draft_statement(owner.id, period=a_month).totals.subtotal == 0

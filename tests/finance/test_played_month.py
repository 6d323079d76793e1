"""A whole month in dollars and in won: use, close, approval, invoices, payments, a dispute, a credit note, proof."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import openpyxl
import pytest

from tests.collecting.conftest import Billed, a_month, at_stripe, collect, saved_card, use  # noqa: F401  # fixtures
from tests.collecting.test_webhook import deliver
from tests.fakes.stripe_loopback import invoices, money_back
from tests.fakes.stripe_loopback.server import LoopbackStripe
from tests.finance.conftest import Browser


@pytest.mark.parametrize(("currency", "scale"), [("USD", 100), ("KRW", 1)])
def test_a_month_from_the_first_job_to_clean_books(
    currency: str, scale: int, new_tenant: Callable[..., Any], a_month: date, at_stripe: LoopbackStripe,  # noqa: F811
    collect: Callable[[], None], saved_card: Callable[[Billed], None], person: Callable[..., Browser],  # noqa: F811
) -> None:  # fmt: skip
    from billing.facade import list_statements, set_contract

    operator, approver = person("month-op@example.com", "operator"), person("month-ap@example.com", "approver")
    payers = [new_tenant(f"payer {place}", currency=currency) for place in range(4)]
    for place, owner in enumerate(payers):
        set_contract(
            owner.id, starts_on=a_month, actor="ops", tax_name="VAT", tax_percent=Decimal(10), collection="stripe"
        )
        for minutes in (37, 101, 999):
            use(owner, minutes=minutes * (place + 1), month=a_month, currency=currency)

    month = f"{a_month:%Y-%m}"
    for step in ("close", "rate"):
        assert operator.post(f"/finance/close/{step}", month=month).status == 303
    bills = [
        Billed(owner, one.id, one.totals.due)
        for owner in payers
        for one in list_statements(period=a_month, tenant_id=owner.id)
    ]
    saved_card(bills[0])
    saved_card(bills[1])
    at_stripe.account.declines = 1
    at_stripe.dice = Random(currency)  # every third write meets trouble: timeouts after the work, kept errors, locks
    for bill in bills:
        own = f"/finance/statements/{bill.statement_id}"
        for who, step in ((operator, "review"), (approver, "approve"), (operator, "push")):
            assert who.post(f"{own}/{step}").status == 303
    collect()
    at_stripe.dice = None
    by_statement = {one["metadata"]["statement_id"]: one for one in at_stripe.account.every("invoice")}
    assert len(by_statement) == len(at_stripe.account.every("invoice")) == 4  # 0 double, 0 missing
    assert [by_statement[str(bill.statement_id)]["total"] for bill in bills] == [
        int(bill.due * scale) for bill in bills
    ]

    account, told = at_stripe.account, []
    for one in by_statement.values():  # by bank transfer, and the declined card at the next try
        if one["status"] == "open":
            invoices.paid(account, one)
    told += [one for one in account.events if one["type"] == "invoice.paid"]
    disputed = money_back.payment_of(account, by_statement[str(bills[0].statement_id)]["id"])
    opened = money_back.open_dispute(account, disputed)
    lost = money_back.close_dispute(account, opened["data"]["object"]["id"], won=False)
    deliver(at_stripe, lost, *reversed(told), opened, *told)
    _credit(bills[1], Decimal(5), operator, approver)
    collect()
    assert by_statement[str(bills[1].statement_id)]["post_payment_credit_notes_amount"] > 0
    for bill in bills:
        assert approver.post(f"/finance/statements/{bill.statement_id}/close").status == 303
    _check_clean(bills)
    _check_exports(operator, bills, month=month)


def _credit(bill: Billed, amount: Decimal, operator: Browser, approver: Browser) -> None:
    wish = {"amount": str(min(amount, bill.due)), "memo": "an hour", "reason": "outage", "text": "the 3rd"}
    assert operator.post(f"/finance/statements/{bill.statement_id}/credit-note", **wish).status == 303
    approving = re.findall(r'"(/finance/adjustments/[^"]+/approve)"', approver.get("/finance/adjustments").text)
    assert approver.post(approving[0]).status == 303


def _check_clean(bills: list[Billed]) -> None:
    from billing.facade import check

    ours = {str(bill.statement_id) for bill in bills} | {str(bill.owner.id) for bill in bills}
    assert [one for one in check() if one.subject in ours] == []


def _check_exports(operator: Browser, bills: list[Billed], *, month: str) -> None:
    for bill in bills:
        where = f"/finance/statements/{bill.statement_id}"
        book = openpyxl.load_workbook(io.BytesIO(operator.get(f"{where}?format=xlsx").body))
        rows = [[cell.value for cell in row] for row in book.active.iter_rows()]  # type: ignore[union-attr]
        lines = [Decimal(str(row[9])) for row in rows[1:]]
        assert sum(lines[:-1]) == lines[-1] == bill.due
    shown = csv.reader(io.StringIO(operator.get("/finance/receivables?format=csv").body.decode("utf-8-sig")))
    due = {row[5] for row in shown if row[3] == "paid"}
    assert {f"{bill.due.normalize():f}" for bill in bills} <= due

"""Credit notes, voids and refunds on finance's pages: one person asks with a reason, another one has it done."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.collecting.conftest import Billed, a_month, at_stripe, billed, collect  # noqa: F401  # fixtures
from tests.collecting.test_webhook import balance, deliver, prepaid, top_up  # noqa: F401  # a fixture
from tests.fakes.stripe_loopback.customers import complete_session
from tests.fakes.stripe_loopback.server import LoopbackStripe
from tests.finance.conftest import Browser

WHY = {"reason": "outage", "text": "an hour on the 3rd", "evidence": "ticket 81"}


@pytest.fixture
def both(person: Callable[..., Browser]) -> tuple[Browser, Browser]:
    """Who asks (and could decide, but not about the own wish), and who decides."""
    return person("back-op@example.com", "operator", "approver"), person("back-ap@example.com", "approver")


@pytest.fixture
def pushed(at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None]) -> Billed:  # noqa: F811
    from billing.stripe.facade import push_statement

    somebody = billed(minutes=1000)
    push_statement(somebody.statement_id, actor="ann")
    collect()
    return somebody


def asked(tenant_id: Any) -> Any:
    from billing.facade import list_adjustments

    return list_adjustments(tenant_id=tenant_id)[0]


def decide(asking: Browser, other: Browser, tenant_id: Any) -> None:
    approving = f"/finance/adjustments/{asked(tenant_id).id}/approve"
    assert approving not in asking.get("/finance/adjustments").text
    assert asking.post(approving).status == 409
    assert approving in other.get("/finance/adjustments").text
    assert other.post(approving).status == 303


def test_a_credit_note_is_told_to_stripe_when_another_person_approves(
    pushed: Billed, at_stripe: LoopbackStripe, both: tuple[Browser, Browser], collect: Callable[[], None]  # noqa: F811
) -> None:  # fmt: skip
    own = f"/finance/statements/{pushed.statement_id}"
    assert f'action="{own}/credit-note"' in both[0].get(own).text
    assert f'action="{own}/credit-note"' not in both[1].get(own).text
    assert both[0].post(f"{own}/credit-note", amount="1.50", memo="for the hour", **WHY).status == 303
    collect()
    assert at_stripe.account.every("credit_note") == []
    decide(*both, pushed.owner.id)
    collect()
    (note,) = at_stripe.account.every("credit_note")
    assert (note["amount"], note["memo"]) == (150, "for the hour")
    for wrong in ({"amount": "a lot"}, {"amount": "NaN"}, {"memo": ""}, {"text": ""}, {"reason": "because"}):
        sent = {"amount": "1", "memo": "m", **WHY, **wrong}
        assert both[0].post(f"{own}/credit-note", **sent).status == 422, wrong


def test_an_invoice_is_void_when_another_person_approves(
    pushed: Billed, at_stripe: LoopbackStripe, both: tuple[Browser, Browser], collect: Callable[[], None]  # noqa: F811
) -> None:  # fmt: skip
    void = f"/finance/statements/{pushed.statement_id}/void"
    assert both[0].post(void, **{**WHY, "text": ""}).status == 422
    assert both[0].post(void, **WHY).status == 303
    decide(*both, pushed.owner.id)
    collect()
    (invoice,) = at_stripe.account.every("invoice")
    assert invoice["status"] == "void"


def test_a_top_up_goes_back_when_another_person_approves(
    prepaid: Any, at_stripe: LoopbackStripe, both: tuple[Browser, Browser], collect: Callable[[], None]  # noqa: F811
) -> None:  # fmt: skip
    session = top_up(prepaid, "10")
    deliver(at_stripe, complete_session(at_stripe.account, session))
    assert session in both[0].get("/finance/top-ups").text
    assert both[0].post("/finance/top-ups", session=session, amount="11", **WHY).status == 422
    assert both[0].post("/finance/top-ups", session="cs_none", amount="1", **WHY).status == 422
    assert both[0].post("/finance/top-ups", session=session, amount="4", **WHY).status == 303
    assert balance(prepaid) == Decimal(15)
    decide(*both, prepaid.id)
    assert balance(prepaid) == Decimal(11)
    collect()
    deliver(at_stripe, *at_stripe.account.events)
    assert balance(prepaid) == Decimal(11)


def test_what_is_rejected_is_never_told(
    pushed: Billed, at_stripe: LoopbackStripe, both: tuple[Browser, Browser], collect: Callable[[], None]  # noqa: F811
) -> None:  # fmt: skip
    assert both[0].post(f"/finance/statements/{pushed.statement_id}/void", **WHY).status == 303
    assert both[1].post(f"/finance/adjustments/{asked(pushed.owner.id).id}/reject").status == 303
    collect()
    (invoice,) = at_stripe.account.every("invoice")
    assert invoice["status"] == "open"

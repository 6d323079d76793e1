"""What went back of a payment has left the wallet once: whoever sent it, however often and in any order we hear."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from tests.collecting.conftest import Billed, credit, send_back
from tests.collecting.test_webhook import balance, deliver, prepaid, top_up  # noqa: F401  # fixture
from tests.fakes.stripe_loopback import money_back
from tests.fakes.stripe_loopback.customers import complete_session
from tests.fakes.stripe_loopback.server import LoopbackStripe


@pytest.fixture
def paid(at_stripe: LoopbackStripe, prepaid: Any) -> dict[str, Any]:  # noqa: F811
    """The session of a top-up of 10 USD that was paid and not told yet; the wallet holds 5."""
    event = complete_session(at_stripe.account, top_up(prepaid, "10"))
    session: dict[str, Any] = event["data"]["object"]
    return session


def refund(loopback: LoopbackStripe, session: dict[str, Any], cents: int) -> str:
    """Somebody's click in the dashboard; the refund's id."""
    made = money_back.refunded(loopback.account, session["payment_intent"], amount=cents, metadata={})
    return str(made["id"])


def differences_of(*subjects: str) -> list[str]:
    from django.db import connections

    from billing.stripe.reconciling import differences

    with connections["system"].cursor() as cursor:
        return [one.what for one in differences(cursor) if one.subject in subjects]


def test_a_refund_from_the_dashboard_leaves_the_wallet_once_in_any_order(
    at_stripe: LoopbackStripe, prepaid: Any, paid: dict[str, Any]  # noqa: F811
) -> None:  # fmt: skip
    made = refund(at_stripe, paid, 400)
    told = [one for one in at_stripe.account.events if one["type"] in _TOLD]
    assert len(told) == 3
    for order in permutations(told):
        deliver(at_stripe, *order, *order)
    deliver(at_stripe, *({**one, "id": f"{one['id']}_twin"} for one in reversed(told)))
    assert balance(prepaid) == Decimal(11)
    assert differences_of(made, paid["id"]) == []


_TOLD = ("checkout.session.completed", "refund.created", "charge.refunded")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_first_to_be_heard_does_not_matter(
    order: tuple[int, ...], at_stripe: LoopbackStripe, prepaid: Any, paid: dict[str, Any]  # noqa: F811
) -> None:  # fmt: skip
    refund(at_stripe, paid, 400)
    told = [one for one in at_stripe.account.events if one["type"] in _TOLD]
    for place in order:
        deliver(at_stripe, told[place])
    assert balance(prepaid) == Decimal(11)


def test_a_refund_that_nobody_told_of_is_found_by_the_repair(
    at_stripe: LoopbackStripe, prepaid: Any, paid: dict[str, Any]  # noqa: F811
) -> None:  # fmt: skip
    from billing.stripe.facade import collect_once

    refund(at_stripe, paid, 1000)
    for _ in range(2):
        collect_once(repair_now=True)
        assert balance(prepaid) == Decimal(5)


def test_several_refunds_are_several(at_stripe: LoopbackStripe, prepaid: Any, paid: dict[str, Any]) -> None:  # noqa: F811
    for cents in (100, 250):
        refund(at_stripe, paid, cents)
    deliver(at_stripe, *at_stripe.account.events)
    assert balance(prepaid) == Decimal("11.5")


def test_a_refund_that_failed_comes_back(at_stripe: LoopbackStripe, prepaid: Any, paid: dict[str, Any]) -> None:  # noqa: F811
    made = refund(at_stripe, paid, 400)
    deliver(at_stripe, *at_stripe.account.events)
    failed = money_back.fail_refund(at_stripe.account, made)
    deliver(at_stripe, failed, *at_stripe.account.events)
    assert balance(prepaid) == Decimal(15)
    assert differences_of(made) == []


def test_a_refund_asked_for_here_is_not_taken_twice_and_comes_back_when_it_fails(
    at_stripe: LoopbackStripe, prepaid: Any, paid: dict[str, Any], collect: Callable[[], None]  # noqa: F811
) -> None:  # fmt: skip
    deliver(at_stripe, *at_stripe.account.events)
    send_back(paid["id"], "4")
    assert balance(prepaid) == Decimal(11)
    collect()
    deliver(at_stripe, *at_stripe.account.events)
    assert balance(prepaid) == Decimal(11)
    (made,) = at_stripe.account.every("refund")
    deliver(at_stripe, money_back.fail_refund(at_stripe.account, made["id"]))
    assert balance(prepaid) == Decimal(15)
    assert differences_of(made["id"]) == []


def test_what_went_back_already_cannot_be_sent_back_again(
    at_stripe: LoopbackStripe, prepaid: Any, paid: dict[str, Any]  # noqa: F811
) -> None:  # fmt: skip
    refund(at_stripe, paid, 700)
    deliver(at_stripe, *at_stripe.account.events)
    with pytest.raises(ValueError, match="what is left"):
        send_back(paid["id"], "4")


def test_a_spent_top_up_leaves_a_debt_and_no_job_more(
    at_stripe: LoopbackStripe, prepaid: Any, paid: dict[str, Any]  # noqa: F811
) -> None:  # fmt: skip
    from billing.facade import set_wallet

    deliver(at_stripe, *at_stripe.account.events)
    set_wallet(prepaid.id, currency="USD", balance=Decimal(2))
    refund(at_stripe, paid, 1000)
    deliver(at_stripe, *at_stripe.account.events)
    assert balance(prepaid) == Decimal(-8)


def test_a_dispute_takes_the_top_up_when_it_is_lost_and_gives_it_back_when_won_after_all(
    at_stripe: LoopbackStripe, prepaid: Any, paid: dict[str, Any]  # noqa: F811
) -> None:  # fmt: skip
    opened = money_back.open_dispute(at_stripe.account, paid["payment_intent"])
    deliver(at_stripe, opened, *at_stripe.account.events)
    assert balance(prepaid) == Decimal(15)  # nothing is decided yet
    dispute = opened["data"]["object"]["id"]
    lost = money_back.close_dispute(at_stripe.account, dispute, won=False)
    deliver(at_stripe, lost, opened)
    deliver(at_stripe, {**lost, "id": f"{lost['id']}_twin"})
    assert balance(prepaid) == Decimal(5)
    assert differences_of(dispute) == []
    won = money_back.close_dispute(at_stripe.account, dispute, won=True)
    deliver(at_stripe, won)
    assert balance(prepaid) == Decimal(15)


def test_a_lost_dispute_that_nobody_told_of_is_found_by_the_repair(
    at_stripe: LoopbackStripe, prepaid: Any, paid: dict[str, Any]  # noqa: F811
) -> None:  # fmt: skip
    from billing.stripe.facade import collect_once

    opened = money_back.open_dispute(at_stripe.account, paid["payment_intent"])
    money_back.close_dispute(at_stripe.account, opened["data"]["object"]["id"], won=False)
    collect_once(repair_now=True)
    assert balance(prepaid) == Decimal(5)


def test_a_wallet_that_does_not_lack_what_went_back_is_a_difference(
    at_stripe: LoopbackStripe, prepaid: Any, paid: dict[str, Any]  # noqa: F811
) -> None:  # fmt: skip
    from billing.stripe.models import StripeRefund

    made = refund(at_stripe, paid, 400)
    deliver(at_stripe, *at_stripe.account.events)
    StripeRefund.objects.using("owner").filter(pk=made).update(amount_minor=300)
    assert differences_of(made) == ["what went back of a top-up and left the wallet"]
    StripeRefund.objects.using("owner").filter(pk=made).update(amount_minor=400)


def test_one_object_that_cannot_be_looked_at_does_not_stop_the_repair(
    at_stripe: LoopbackStripe, prepaid: Any, paid: dict[str, Any]  # noqa: F811
) -> None:  # fmt: skip
    from billing.stripe.facade import collect_once

    gone = money_back.open_dispute(at_stripe.account, paid["payment_intent"])["data"]["object"]["id"]
    del at_stripe.account.objects[gone]
    collect_once(repair_now=True)
    assert balance(prepaid) == Decimal(15)


@pytest.fixture
def invoice(
    at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None],
    saved_card: Callable[[Billed], None],
) -> tuple[Billed, dict[str, Any]]:  # fmt: skip
    """A statement whose invoice was paid by card."""
    from billing.stripe.facade import push_statement

    somebody = billed(minutes=1000)
    saved_card(somebody)
    push_statement(somebody.statement_id, actor="ann")
    collect()
    (found,) = at_stripe.account.every("invoice")
    return somebody, found


def mirrored(somebody: Billed) -> Any:
    from billing.stripe.models import StripeInvoice

    return StripeInvoice.objects.using("system").get(pk=somebody.statement_id)


def test_a_lost_dispute_of_an_invoice_is_no_longer_in_dispute_but_lost(
    at_stripe: LoopbackStripe, invoice: tuple[Billed, dict[str, Any]]
) -> None:
    somebody, at = invoice
    opened = money_back.open_dispute(at_stripe.account, money_back.payment_of(at_stripe.account, at["id"]))
    lost = money_back.close_dispute(at_stripe.account, opened["data"]["object"]["id"], won=False)
    deliver(at_stripe, lost, opened)
    assert (mirrored(somebody).disputed_minor, mirrored(somebody).lost_minor) == (0, at["total"])
    assert differences_of(str(somebody.statement_id)) == []


def test_an_invoice_that_was_refunded_without_a_credit_note_is_a_difference(
    at_stripe: LoopbackStripe, invoice: tuple[Billed, dict[str, Any]], collect: Callable[[], None]
) -> None:
    somebody, at = invoice
    credit(somebody, "0.50")
    collect()
    deliver(at_stripe, *at_stripe.account.events)
    assert mirrored(somebody).refunded_minor == 50
    assert differences_of(str(somebody.statement_id)) == []
    money_back.refunded(at_stripe.account, money_back.payment_of(at_stripe.account, at["id"]), amount=10, metadata={})
    deliver(at_stripe, *at_stripe.account.events)
    assert differences_of(str(somebody.statement_id)) == ["refunds of an invoice and its credit notes"]

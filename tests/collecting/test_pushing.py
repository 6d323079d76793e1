"""A statement is collected once, whatever goes wrong on the way to Stripe and back."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.collecting.conftest import Billed, credit
from tests.fakes.stripe_loopback.server import LoopbackStripe, Trouble


def push(billed: Billed) -> None:
    from billing.stripe.facade import push_statement

    push_statement(billed.statement_id, actor="ann")


def mirrored(billed: Billed) -> Any:
    from billing.stripe.models import StripeInvoice

    return StripeInvoice.objects.using("system").get(pk=billed.statement_id)


def differences_of(billed: Billed) -> list[Any]:
    from django.db import connections

    from billing.stripe.reconciling import differences

    with connections["system"].cursor() as cursor:
        return [one for one in differences(cursor) if one.subject == str(billed.statement_id)]


def test_an_approved_statement_becomes_one_open_invoice(
    at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None]
) -> None:
    somebody = billed(minutes=1000)
    push(somebody)
    push(somebody)
    collect()
    (invoice,) = at_stripe.account.every("invoice")
    assert (invoice["status"], invoice["total"]) == ("open", int(somebody.due * 100))
    assert invoice["collection_method"] == "send_invoice"  # no card is known
    assert somebody.statement.status == "pushed"
    assert (mirrored(somebody).status, mirrored(somebody).total_minor) == ("open", invoice["total"])
    assert differences_of(somebody) == []


@pytest.mark.parametrize("trouble", ["lost_after", "kept_before", "kept_after"])
@pytest.mark.parametrize("place", range(4), ids=["customer", "invoice", "lines", "finalize"])
def test_trouble_at_any_write_neither_doubles_nor_loses(
    trouble: Trouble, place: int, at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None]
) -> None:
    somebody = billed(minutes=1000)
    at_stripe.troubles.extend([None] * place + [trouble])  # type: ignore[list-item]  # None: all is well
    push(somebody)
    collect()
    assert not at_stripe.troubles
    assert len(at_stripe.account.every("customer")) == 1
    (invoice,) = at_stripe.account.every("invoice")
    assert (invoice["status"], invoice["total"]) == ("open", int(somebody.due * 100))
    assert differences_of(somebody) == []


def test_a_storm_of_trouble_ends_with_every_statement_collected_once(
    at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None]
) -> None:
    somebody = billed(minutes=700, jobs=3)
    at_stripe.dice = Random(7)
    push(somebody)
    collect()
    assert [one["total"] for one in at_stripe.account.every("invoice")] == [int(somebody.due * 100)]


def test_won_is_collected_in_whole_won(
    at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None]
) -> None:
    somebody = billed(currency="KRW", minutes=1000)
    push(somebody)
    collect()
    (invoice,) = at_stripe.account.every("invoice")
    assert (invoice["currency"], invoice["total"]) == ("krw", int(somebody.due))
    assert somebody.due == somebody.due.to_integral_value()


def test_a_contract_without_stripe_is_pushed_at_once(at_stripe: LoopbackStripe, billed: Callable[..., Billed]) -> None:
    from billing.stripe.facade import push_statement
    from tests.collecting.conftest import agreed, use

    someone = billed(minutes=5)
    month = someone.statement.terms.period.replace(year=someone.statement.terms.period.year - 1)
    use(someone.owner, minutes=5, month=month, currency="USD")
    by_hand = agreed(someone.owner, month=month, collection="none")
    assert push_statement(by_hand.statement_id, actor="ann").status == "pushed"
    assert at_stripe.account.every("invoice") == []


def test_what_stripe_adds_up_differently_is_never_finalised(
    at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None]
) -> None:
    from billing.stripe.models import StripeCall

    somebody = billed(minutes=1000)
    push(somebody)
    at_stripe.troubles.extend([None, "lost_after"])  # type: ignore[list-item]
    from billing.stripe.facade import collect_once

    collect_once()  # the draft is there now
    (invoice,) = at_stripe.account.every("invoice")
    at_stripe.account.make("line_item", invoice=invoice["id"], amount=1, currency="usd", description="by hand")
    collect()
    call = StripeCall.objects.using("system").get(kind="push", subject_id=somebody.statement_id)
    assert (invoice["status"], call.state) == ("draft", "failed")
    assert "asks for" in call.error
    assert somebody.statement.status == "approved"


def test_a_declined_card_leaves_the_invoice_open_and_stripe_trying(
    at_stripe: LoopbackStripe,
    billed: Callable[..., Billed],
    collect: Callable[[], None],
    saved_card: Callable[..., None],
) -> None:
    somebody = billed(minutes=1000)
    saved_card(somebody)
    at_stripe.account.declines = 1
    push(somebody)
    collect()
    known = mirrored(somebody)
    assert (known.status, known.attempts) == ("open", 1)
    assert known.next_attempt_at is not None


def test_a_saved_card_pays_at_once(
    at_stripe: LoopbackStripe,
    billed: Callable[..., Billed],
    collect: Callable[[], None],
    saved_card: Callable[..., None],
) -> None:
    somebody = billed(minutes=1000)
    saved_card(somebody)
    at_stripe.troubles.extend([None] * 3 + ["lost_after"])  # type: ignore[list-item]  # paying: taken, but unheard
    push(somebody)
    collect()
    assert (mirrored(somebody).status, mirrored(somebody).paid_minor) == ("paid", int(somebody.due * 100))
    assert len(at_stripe.account.every("invoice_payment")) == 1


@pytest.mark.parametrize("trouble", [None, "lost_after", "kept_after", "kept_before"])
def test_a_credit_note_gives_back_once(
    trouble: Any, at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None],
    saved_card: Callable[..., None],
) -> None:  # fmt: skip
    somebody = billed(minutes=1000)
    saved_card(somebody)
    push(somebody)
    collect()
    at_stripe.troubles.append(trouble)
    credit(somebody, "1.50")
    collect()
    assert [note["amount"] for note in at_stripe.account.every("credit_note")] == [150]
    assert mirrored(somebody).credited_minor == 150
    assert differences_of(somebody) == []


def test_a_void_invoice_asks_for_nothing(
    at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None]
) -> None:
    from billing.facade import approve_adjustment
    from billing.stripe.facade import request_void

    somebody = billed(minutes=1000)
    push(somebody)
    collect()
    asked = request_void(somebody.statement_id, reason="duplicate", text="billed by hand", actor="ann")
    collect()
    assert mirrored(somebody).status == "open"  # one person is not enough
    approve_adjustment(asked, actor="bob")
    collect()
    assert mirrored(somebody).status == "void"
    assert differences_of(somebody) == []  # two people wanted it


def test_an_invoice_that_was_voided_in_the_dashboard_is_a_difference(
    at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None]
) -> None:
    from tests.collecting.test_webhook import deliver
    from tests.fakes.stripe_loopback import invoices

    somebody = billed(minutes=1000)
    push(somebody)
    collect()
    (invoice,) = at_stripe.account.every("invoice")
    invoices.void(at_stripe.account, {}, invoice=invoice["id"])
    deliver(at_stripe, *at_stripe.account.events)
    assert [one.found for one in differences_of(somebody)] == ["void"]


@pytest.mark.parametrize(
    ("amount", "memo", "says"),
    [("0", "late", "above 0"), ("0.001", "late", "exactly"), ("99999", "late", "at most"), ("1", " ", "memo")],
)
def test_a_credit_note_that_cannot_be_is_refused_when_it_is_asked_for(
    amount: str, memo: str, says: str, at_stripe: LoopbackStripe, billed: Callable[..., Billed],
    collect: Callable[[], None],
) -> None:  # fmt: skip
    from billing.stripe.facade import request_credit_note

    somebody = billed(minutes=1000)
    push(somebody)
    collect()
    wish = {"amount": Decimal(amount), "memo": memo, "reason": "goodwill", "text": "late", "actor": "ann"}
    with pytest.raises(ValueError, match=says):
        request_credit_note(somebody.statement_id, **wish)  # type: ignore[arg-type]  # each has its own type


def test_what_was_paid_cannot_be_void(
    at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None],
    saved_card: Callable[..., None],
) -> None:  # fmt: skip
    from billing.stripe.facade import request_void

    somebody = billed(minutes=1000)
    saved_card(somebody)
    push(somebody)
    with pytest.raises(LookupError, match="push it first"):
        request_void(somebody.statement_id, reason="other", text="wrong", actor="ann")
    collect()
    with pytest.raises(ValueError, match="credit note"):
        request_void(somebody.statement_id, reason="other", text="wrong", actor="ann")


def test_a_deleted_invoice_is_a_difference(
    at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None]
) -> None:
    from billing.stripe.models import StripeInvoice

    somebody = billed(minutes=1000)
    push(somebody)
    collect()
    StripeInvoice.objects.using("owner").filter(pk=somebody.statement_id).update(total_minor=1)
    assert len(differences_of(somebody)) == 1
    StripeInvoice.objects.using("owner").filter(pk=somebody.statement_id).delete()
    assert len(differences_of(somebody)) == 1

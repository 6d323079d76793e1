"""A statement is collected once, whatever goes wrong on the way to Stripe and back."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from tests.collecting.conftest import Billed
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
    from billing.stripe.facade import credit_invoice

    somebody, wish = billed(minutes=1000), uuid4()
    saved_card(somebody)
    push(somebody)
    collect()
    at_stripe.troubles.append(trouble)
    for _ in range(2):
        credit_invoice(somebody.statement_id, subject_id=wish, amount=Decimal("1.50"), memo="late", actor="ann")
        collect()
    assert [note["amount"] for note in at_stripe.account.every("credit_note")] == [150]
    assert mirrored(somebody).credited_minor == 150
    assert differences_of(somebody) == []


def test_a_void_invoice_asks_for_nothing(
    at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None]
) -> None:
    from billing.stripe.facade import void_invoice

    somebody = billed(minutes=1000)
    push(somebody)
    collect()
    void_invoice(somebody.statement_id, actor="ann")
    collect()
    assert mirrored(somebody).status == "void"
    assert [one.found for one in differences_of(somebody)] == ["void"]  # and finance sees that it does


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

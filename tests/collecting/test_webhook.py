"""Signed events: only genuine ones, in any order, any number of times, or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from apikit.problems import Problem
from tenants.facade import tenant_context
from tests.collecting.conftest import Billed, send_back
from tests.fakes.stripe_loopback import invoices, money_back
from tests.fakes.stripe_loopback.customers import complete_session
from tests.fakes.stripe_loopback.server import LoopbackStripe

URLS = {"success_url": "https://app.example.com/", "cancel_url": "https://app.example.com/"}


def receive(loopback: LoopbackStripe, body: bytes, headers: dict[str, str]) -> int:
    """The answer's status to a posted event, through the real ASGI application."""
    from apikit.front import REQUEST_ID
    from billing.stripe.facade import WEBHOOK_PATH, serve_webhook

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": WEBHOOK_PATH, "headers": raw, REQUEST_ID: "req_test"}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def take() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    asyncio.run(serve_webhook(scope, take, send))
    return int(sent[0]["status"])


def deliver(loopback: LoopbackStripe, *events: dict[str, Any]) -> None:
    from billing.stripe.facade import collect_once

    for event in events:
        assert receive(loopback, *loopback.signed(event)) == 200
    collect_once()


@pytest.fixture
def prepaid(at_stripe: LoopbackStripe, alice: Any) -> Any:
    """Alice, with a wallet of 5 USD."""
    from billing.facade import set_wallet

    set_wallet(alice.id, currency="USD", balance=Decimal(5))
    return alice


def test_whoever_asks_for_a_page_to_pay_on_is_in_the_audit_log(prepaid: Any) -> None:
    from billing.stripe import api
    from events.facade import AuditWanted, audit_rows

    url, request = "https://app.example.com/", SimpleNamespace(auth=prepaid.caller)
    with tenant_context(prepaid.tenant):
        api.create_billing_checkout(request, api.CheckoutIn(purpose="top_up", amount="10", return_url=url))  # type: ignore[arg-type]  # all it reads
        api.create_billing_portal(request, api.PortalIn(return_url=url))  # type: ignore[arg-type]  # as above
        told = audit_rows(AuditWanted(prepaid.id, livemode=True, action="billing.*"), limit=9)
    assert [one.action for one in told] == ["billing.portal_opened", "billing.checkout_started"]
    assert told[1].after == {"purpose": "top_up", "amount": "10"}
    assert {one.actor for one in told} == {str(prepaid.caller.key_id)}


def balance(someone: Any) -> Decimal:
    from billing.models import Wallet

    return Wallet.objects.using("system").get(pk=someone.id).balance


def top_up(someone: Any, amount: str) -> str:
    from billing.stripe.topups import top_up_link

    return str(top_up_link(someone.id, amount=Decimal(amount), urls=URLS).id)


@pytest.fixture
def event() -> dict[str, Any]:
    return {"id": "evt_1", "type": "invoice.paid", "data": {"object": {"id": "in_1"}}}


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (lambda body, header: (body, header), 200),
        (lambda body, header: (body + b" ", header), 400),
        (lambda body, header: (body, header.replace("v1=", "v0=")), 400),
        (lambda body, header: (body, ""), 400),
        (lambda body, header: (body, "t=,v1="), 400),
        (lambda body, header: (body, header[:-1]), 400),
        (lambda body, header: (body, f"{header},v1={'0' * 64}"), 200),  # while the secret is rolled there are two
    ],
)
def test_only_a_signature_of_the_raw_body_is_taken(
    spoil: Callable[[bytes, str], tuple[bytes, str]], status: int, at_stripe: LoopbackStripe, event: dict[str, Any]
) -> None:
    body, headers = at_stripe.signed(event)
    spoilt, signature = spoil(body, headers["Stripe-Signature"])
    assert receive(at_stripe, spoilt, {"Stripe-Signature": signature}) == status


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_event_is_refused(seconds: int, at_stripe: LoopbackStripe, event: dict[str, Any]) -> None:
    body, headers = at_stripe.signed(event, timestamp=int(time.time()) + seconds)
    assert receive(at_stripe, body, headers) == 400


def test_our_check_and_the_official_one_agree(at_stripe: LoopbackStripe, event: dict[str, Any]) -> None:
    import stripe

    from billing.stripe.intake import check_signature

    body, headers = at_stripe.signed(event)
    signature = headers["Stripe-Signature"]
    check_signature(signature, body, secret=at_stripe.secret, now=int(time.time()))
    assert stripe.WebhookSignature.verify_header(body, signature, at_stripe.secret, 300)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body, signature, "whsec_other", 300)
    with pytest.raises(Problem):
        check_signature(signature, body, secret="whsec_other", now=int(time.time()))


def test_a_top_up_is_credited_once_however_often_it_is_told(at_stripe: LoopbackStripe, prepaid: Any) -> None:
    paid = complete_session(at_stripe.account, top_up(prepaid, "49.90"))
    twin = paid | {"id": "evt_twin"}
    deliver(at_stripe, paid, paid, twin)
    deliver(at_stripe, paid)
    assert balance(prepaid) == Decimal("54.9")


def test_a_page_that_nobody_paid_credits_nothing(at_stripe: LoopbackStripe, prepaid: Any) -> None:
    session = at_stripe.account.get("checkout.session", top_up(prepaid, "10"))
    forged = at_stripe.account.tell("checkout.session.completed", session | {"payment_status": "paid"})
    deliver(at_stripe, forged)  # the object itself says otherwise
    assert balance(prepaid) == Decimal(5)


def test_a_lost_event_is_made_good_by_the_repair(at_stripe: LoopbackStripe, prepaid: Any) -> None:
    from billing.stripe.facade import collect_once

    complete_session(at_stripe.account, top_up(prepaid, "10"))  # told to nobody
    collect_once(repair_now=True)
    collect_once(repair_now=True)
    assert balance(prepaid) == Decimal(15)


def test_events_in_the_wrong_order_end_in_the_right_state(
    at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None]
) -> None:
    from billing.stripe.facade import push_statement
    from billing.stripe.models import StripeInvoice

    somebody = billed(minutes=1000)
    push_statement(somebody.statement_id, actor="ann")
    collect()
    (invoice,) = at_stripe.account.every("invoice")
    invoices.paid(at_stripe.account, invoice)
    told = [one for one in at_stripe.account.events if one["type"].startswith("invoice.")]
    deliver(at_stripe, *reversed(told))
    assert StripeInvoice.objects.using("system").get(pk=somebody.statement_id).status == "paid"


def test_a_dispute_is_seen_until_it_is_won(
    at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None],
    saved_card: Callable[[Billed], None],
) -> None:  # fmt: skip
    from billing.stripe.facade import push_statement
    from billing.stripe.models import StripeInvoice

    somebody = billed(minutes=1000)
    saved_card(somebody)
    push_statement(somebody.statement_id, actor="ann")
    collect()

    def disputed() -> int:
        return StripeInvoice.objects.using("system").get(pk=somebody.statement_id).disputed_minor

    (invoice,) = at_stripe.account.every("invoice")
    opened = money_back.open_dispute(at_stripe.account, money_back.payment_of(at_stripe.account, invoice["id"]))
    deliver(at_stripe, opened)
    assert disputed() == invoice["total"]
    closed = money_back.close_dispute(at_stripe.account, opened["data"]["object"]["id"], won=True)
    deliver(at_stripe, closed, opened)
    assert disputed() == 0


def test_a_refunded_top_up_leaves_the_wallet_first(
    at_stripe: LoopbackStripe, prepaid: Any, collect: Callable[[], None]
) -> None:
    session = top_up(prepaid, "10")
    deliver(at_stripe, complete_session(at_stripe.account, session))
    at_stripe.troubles.append("lost_after")
    send_back(session, "4")
    with pytest.raises(ValueError, match="already"):
        send_back(session, "4")
    collect()
    assert [one["amount"] for one in at_stripe.account.every("refund")] == [400]
    assert balance(prepaid) == Decimal(11)


def test_an_event_of_another_tenants_session_touches_nobody_else(
    at_stripe: LoopbackStripe, prepaid: Any, charlie: Any
) -> None:
    from billing.facade import set_wallet

    set_wallet(charlie.id, currency="USD", balance=Decimal(1))
    deliver(at_stripe, complete_session(at_stripe.account, top_up(prepaid, "10")))
    assert balance(charlie) == Decimal(1)

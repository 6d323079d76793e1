"""Links for a tenant's people (a card, a top-up, the portal), and the wallet's credit, once per payment."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.models import Wallet
from billing.stripe import amounts
from billing.stripe.customers import customer_of
from billing.stripe.errors import NotCollectable, WalletMissing
from billing.stripe.gateway import gateway
from billing.stripe.models import StripeCustomer, StripeTopUp
from billing.stripe.outbox import SYSTEM, Call, Done
from billing.stripe.taken_back import granted_by, lock, settle_top_up
from billing.wallets import grant


def card_link(tenant_id: UUID, *, currency: str, urls: Mapping[str, str]) -> Any:
    """A page on which a card is saved for the statements to come. Raises `StripeOff`."""
    at = gateway()
    customer = customer_of(tenant_id, at=at)
    return at.checkout_for_card(customer.customer_id, tenant_id=tenant_id, currency=currency, urls=urls)


def top_up_link(tenant_id: UUID, *, amount: Decimal, urls: Mapping[str, str]) -> Any:
    """A page on which the wallet is topped up. Raises `StripeOff`, `WalletMissing`, `NotCollectable`."""
    at = gateway()
    wallet = Wallet.objects.using(SYSTEM).filter(pk=tenant_id).first()
    if wallet is None:
        raise WalletMissing
    if not amounts.is_exact(amount, wallet.currency):
        raise NotCollectable(f"{amount} {wallet.currency}")
    customer = customer_of(tenant_id, at=at)
    return at.checkout_for_top_up(
        customer.customer_id, tenant_id=tenant_id, amount_minor=amounts.to_minor(amount, wallet.currency),
        currency=wallet.currency, urls=urls,
    )  # fmt: skip


def portal_link(tenant_id: UUID, *, return_url: str) -> Any:
    """Stripe's own pages with the tenant's invoices and cards. Raises `StripeOff`."""
    at = gateway()
    customer = customer_of(tenant_id, at=at)
    return at.portal(customer.customer_id, return_url=return_url)


def settle_session(session: Any) -> None:
    """A checkout as it is now: a paid top-up is credited, a saved card is used. Again: nothing changes."""
    metadata = session.metadata.to_dict() if session.metadata else {}
    if "tenant_id" not in metadata:
        return  # somebody else's checkout on the same account
    tenant_id = UUID(metadata["tenant_id"])
    if metadata.get("purpose") == "top_up" and session.payment_status == "paid":
        _credit(session, tenant_id)
    elif metadata.get("purpose") == "card" and session.status == "complete":
        _use_card(session, tenant_id)


def do_refund(call: Call) -> Done:
    """The outbox's part of it."""
    at, intent = gateway(), call.values["payment_intent"]
    refund = at.find_refund(intent, subject_id=call.subject_id) or at.create_refund(
        intent, subject_id=call.subject_id, amount_minor=int(call.values["amount_minor"]), key=call.key("refund")
    )
    return Done(refund.id)


def _credit(session: Any, tenant_id: UUID) -> None:
    """The row and the grant stand together; a session that has its row is left alone."""
    currency = session.currency.upper()
    wallet = Wallet.objects.using(SYSTEM).filter(pk=tenant_id, currency=currency).first()
    if wallet is None:
        raise WalletMissing
    amount = amounts.from_minor(session.amount_total, currency)
    with transaction.atomic(using=SYSTEM):
        lock(session.payment_intent)
        new = grant(tenant_id, amount=amount, operation=granted_by(session.id), actor="stripe", note="top-up")
        if new:
            top_up = StripeTopUp.objects.using(SYSTEM).create(
                session_id=session.id, tenant_id=tenant_id, payment_intent=session.payment_intent, amount=amount,
                currency=currency,
            )  # fmt: skip
            settle_top_up(top_up)  # it may be refunded already, and we heard of that first


def _use_card(session: Any, tenant_id: UUID) -> None:
    payment_method = session.setup_intent.payment_method
    gateway().use_payment_method(session.customer, payment_method=payment_method)
    known = StripeCustomer.objects.using(SYSTEM).filter(pk=tenant_id, customer_id=session.customer)
    known.update(payment_method=payment_method)

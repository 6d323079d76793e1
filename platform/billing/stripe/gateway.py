"""Stripe's operations that we use, by the official SDK: each write under a key of ours, each found again by metadata.

Nothing here decides anything; `stripe.StripeError` passes through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import stripe

from billing.stripe.errors import StripeOff
from billing.stripe.settings import API_VERSION, StripeSettings, stripe_settings
from billing.stripe.transport import EgressHttp

LINES_AT_ONCE = 100
PAGE = 100


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """`place` tells it from the invoice's other lines, and never changes."""

    place: str
    description: str
    amount_minor: int


class Gateway:
    """One Stripe account."""

    def __init__(self, settings: StripeSettings) -> None:
        self._http = EgressHttp(settings.base_url)
        self._v1: Any = stripe.StripeClient(
            settings.api_key, stripe_version=API_VERSION, max_network_retries=0,
            base_addresses={"api": settings.base_url}, http_client=self._http,
        ).v1  # fmt: skip

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    # --- customers

    def find_customer(self, tenant_id: UUID, *, since: int) -> Any:
        """The tenant's customer among those made since (Unix seconds), or None."""
        made = self._v1.customers.list(params={"created": {"gte": since}, "limit": PAGE}).auto_paging_iter()
        return next((one for one in made if _meta(one).get("tenant_id") == str(tenant_id)), None)

    def create_customer(self, tenant_id: UUID, *, name: str, key: str) -> Any:
        params = {"name": name, "metadata": {"tenant_id": str(tenant_id)}}
        return self._v1.customers.create(params=params, options={"idempotency_key": key})

    def use_payment_method(self, customer: str, *, payment_method: str) -> None:
        """Charge this one from now on; saying it twice changes nothing."""
        settings = {"default_payment_method": payment_method}
        self._v1.customers.update(customer, params={"invoice_settings": settings})

    # --- checkout and portal

    def checkout_for_card(self, customer: str, *, tenant_id: UUID, currency: str, urls: Mapping[str, str]) -> Any:
        metadata = {"tenant_id": str(tenant_id), "purpose": "card"}
        params = {"mode": "setup", "customer": customer, "currency": currency.lower(), "metadata": metadata, **urls}
        return self._v1.checkout.sessions.create(params=params)

    def checkout_for_top_up(
        self, customer: str, *, tenant_id: UUID, amount_minor: int, currency: str, urls: Mapping[str, str]
    ) -> Any:
        price = {
            "currency": currency.lower(), "unit_amount": amount_minor, "product_data": {"name": "Prepaid credit"},
        }  # fmt: skip
        params = {
            "mode": "payment", "customer": customer, "line_items": [{"price_data": price, "quantity": 1}],
            "metadata": {"tenant_id": str(tenant_id), "purpose": "top_up"}, **urls,
        }  # fmt: skip
        return self._v1.checkout.sessions.create(params=params)

    def checkout_session(self, session_id: str) -> Any:
        return self._v1.checkout.sessions.retrieve(session_id, params={"expand": ["setup_intent"]})

    def portal(self, customer: str, *, return_url: str) -> Any:
        return self._v1.billing_portal.sessions.create(params={"customer": customer, "return_url": return_url})

    # --- invoices

    def find_invoice(self, customer: str, *, statement_id: UUID) -> Any:
        """The statement's invoice that is not void, or None."""
        found = self._v1.invoices.list(params={"customer": customer, "limit": PAGE}).auto_paging_iter()
        ours = (one for one in found if _meta(one).get("statement_id") == str(statement_id) and one.status != "void")
        return next(ours, None)

    def create_invoice(
        self, customer: str, *, statement_id: UUID, period: str, currency: str, automatic: bool, days_until_due: int,
        key: str,
    ) -> Any:  # fmt: skip
        how: dict[str, Any] = {"collection_method": "charge_automatically"}
        if not automatic:
            how = {"collection_method": "send_invoice", "days_until_due": days_until_due}
        params = {
            "customer": customer, "currency": currency.lower(), "auto_advance": False, **how,
            "pending_invoice_items_behavior": "exclude", "description": f"Statement {period}",
            "metadata": {"statement_id": str(statement_id), "period": period},
        }  # fmt: skip
        return self._v1.invoices.create(params=params, options={"idempotency_key": key})

    def places_of(self, invoice: str) -> dict[str, int]:
        """The lines that are on the invoice already: place → amount."""
        lines = self._v1.invoices.line_items.list(invoice, params={"limit": PAGE}).auto_paging_iter()
        return {_meta(line).get("place", line.id): line.amount for line in lines}

    def add_lines(self, invoice: str, lines: Sequence[InvoiceLine], *, key: str) -> Any:
        shown = [
            {"description": one.description[:500], "amount": one.amount_minor, "metadata": {"place": one.place}}
            for one in lines
        ]
        return self._v1.invoices.add_lines(invoice, params={"lines": shown}, options={"idempotency_key": key})

    def invoice(self, invoice: str) -> Any:
        return self._v1.invoices.retrieve(invoice)

    def finalize(self, invoice: str, *, key: str) -> Any:
        """Stripe collects it from here on, with its own reminders and retries."""
        options = {"idempotency_key": key}
        return self._v1.invoices.finalize_invoice(invoice, params={"auto_advance": True}, options=options)

    def pay(self, invoice: str, *, key: str) -> Any:
        return self._v1.invoices.pay(invoice, params={"off_session": True}, options={"idempotency_key": key})

    def void(self, invoice: str, *, key: str) -> Any:
        return self._v1.invoices.void_invoice(invoice, options={"idempotency_key": key})

    def invoices_since(self, since: int) -> Iterator[Any]:
        params = {"created": {"gte": since}, "limit": PAGE}
        return iter(self._v1.invoices.list(params=params).auto_paging_iter())

    # --- money back

    def find_credit_note(self, invoice: str, *, subject_id: UUID) -> Any:
        notes = self._v1.credit_notes.list(params={"invoice": invoice, "limit": PAGE}).auto_paging_iter()
        return next((one for one in notes if _meta(one).get("subject_id") == str(subject_id)), None)

    def create_credit_note(
        self, invoice: str, *, subject_id: UUID, amount_minor: int, paid: bool, memo: str, key: str
    ) -> Any:
        """Lowers an open invoice; of a paid one the money goes back to where it came from."""
        params: dict[str, Any] = {
            "invoice": invoice, "amount": amount_minor, "memo": memo, "metadata": {"subject_id": str(subject_id)},
        }  # fmt: skip
        if paid:
            params["refund_amount"] = amount_minor
        return self._v1.credit_notes.create(params=params, options={"idempotency_key": key})

    def credit_note(self, note: str) -> Any:
        return self._v1.credit_notes.retrieve(note)

    def find_refund(self, payment_intent: str, *, subject_id: UUID) -> Any:
        made = self._v1.refunds.list(params={"payment_intent": payment_intent, "limit": PAGE}).auto_paging_iter()
        return next((one for one in made if _meta(one).get("subject_id") == str(subject_id)), None)

    def create_refund(self, payment_intent: str, *, subject_id: UUID, amount_minor: int, key: str) -> Any:
        params = {
            "payment_intent": payment_intent, "amount": amount_minor, "metadata": {"subject_id": str(subject_id)},
        }  # fmt: skip
        return self._v1.refunds.create(params=params, options={"idempotency_key": key})

    def refund(self, refund: str) -> Any:
        return self._v1.refunds.retrieve(refund)

    def refunds_of(self, charge: str) -> Iterator[Any]:
        """Everything that was sent back of one charge."""
        return iter(self._v1.refunds.list(params={"charge": charge, "limit": PAGE}).auto_paging_iter())

    def dispute(self, dispute: str) -> Any:
        return self._v1.disputes.retrieve(dispute)

    def invoice_paid_by(self, payment_intent: str) -> str | None:
        """The invoice that a payment was made for."""
        payment = {"type": "payment_intent", "payment_intent": payment_intent}
        found = self._v1.invoice_payments.list(params={"payment": payment, "limit": 1}).data
        return str(found[0].invoice) if found else None

    # --- what happened

    def events_since(self, since: int, *, types: Sequence[str]) -> Iterator[Any]:
        """Stripe keeps them for 30 days; at most 20 types."""
        params = {"created": {"gte": since}, "types": list(types), "limit": PAGE}
        return iter(self._v1.events.list(params=params).auto_paging_iter())


def gateway() -> Gateway:
    """The configured account; raises `StripeOff`."""
    settings = stripe_settings()
    if settings is None:
        raise StripeOff
    return _made(settings)


@lru_cache(maxsize=4)
def _made(settings: StripeSettings) -> Gateway:
    return Gateway(settings)


def _meta(found: Any) -> Mapping[str, str]:
    metadata = found.metadata
    return metadata.to_dict() if hasattr(metadata, "to_dict") else dict(metadata or {})

"""What Stripe showed last, kept: only ever written from an object fetched just now, so no order of events matters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from billing.stripe.gateway import Gateway
from billing.stripe.models import StripeDispute, StripeInvoice

SYSTEM = "system"
LOST = "lost"
# A dispute in these states takes nothing (any more).
_HARMLESS = frozenset({"won", "warning_closed", "warning_needs_response", "warning_under_review", "prevented"})


def keep_invoice(invoice: Any, *, statement_id: UUID, tenant_id: UUID, due_minor: int) -> None:
    """The invoice of a statement that is being pushed."""
    StripeInvoice.objects.using(SYSTEM).update_or_create(
        statement_id=statement_id,
        defaults={"tenant_id": tenant_id, "invoice_id": invoice.id, "due_minor": due_minor, **_state(invoice)},
    )


def refresh_invoice(invoice: Any) -> bool:
    """A known invoice as it is now; False when it is none of ours."""
    known = StripeInvoice.objects.using(SYSTEM).filter(invoice_id=invoice.id)
    return bool(known.update(**_state(invoice)))


def keep_dispute(dispute: Any, *, at: Gateway) -> None:
    """The dispute, and what is in dispute on its invoice."""
    invoice_id = at.invoice_paid_by(dispute.payment_intent) if dispute.payment_intent else None
    invoice = StripeInvoice.objects.using(SYSTEM).filter(invoice_id=invoice_id).first()
    StripeDispute.objects.using(SYSTEM).update_or_create(
        dispute_id=dispute.id,
        defaults={
            "tenant_id": invoice.tenant_id if invoice else None,
            "statement_id": invoice.statement_id if invoice else None,
            "amount_minor": dispute.amount, "currency": dispute.currency.upper(), "status": dispute.status,
            "reason": dispute.reason, "seen_at": Now(),
        },
    )  # fmt: skip
    if invoice is not None:
        _sum_disputes(invoice)


def _sum_disputes(invoice: StripeInvoice) -> None:
    rows = StripeDispute.objects.using(SYSTEM).filter(statement_id=invoice.statement_id).exclude(status__in=_HARMLESS)
    disputed = sum(rows.values_list("amount_minor", flat=True))
    StripeInvoice.objects.using(SYSTEM).filter(pk=invoice.pk).update(disputed_minor=disputed)


def _state(invoice: Any) -> dict[str, Any]:
    credited = invoice.pre_payment_credit_notes_amount + invoice.post_payment_credit_notes_amount
    again = invoice.next_payment_attempt
    return {
        "number": invoice.number or "", "status": invoice.status, "currency": invoice.currency.upper(),
        "total_minor": invoice.total, "paid_minor": invoice.amount_paid, "credited_minor": credited,
        "attempts": invoice.attempt_count, "page_url": (invoice.hosted_invoice_url or "")[:500], "seen_at": Now(),
        "next_attempt_at": datetime.fromtimestamp(again, UTC) if again else None,
    }  # fmt: skip

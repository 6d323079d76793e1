"""What Stripe showed last, kept: only ever written from an object fetched just now, so no order of events matters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from billing.stripe.models import StripeInvoice

SYSTEM = "system"


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


def _state(invoice: Any) -> dict[str, Any]:
    credited = invoice.pre_payment_credit_notes_amount + invoice.post_payment_credit_notes_amount
    again = invoice.next_payment_attempt
    return {
        "number": invoice.number or "", "status": invoice.status, "currency": invoice.currency.upper(),
        "total_minor": invoice.total, "paid_minor": invoice.amount_paid, "credited_minor": credited,
        "attempts": invoice.attempt_count, "page_url": (invoice.hosted_invoice_url or "")[:500], "seen_at": Now(),
        "next_attempt_at": datetime.fromtimestamp(again, UTC) if again else None,
    }  # fmt: skip

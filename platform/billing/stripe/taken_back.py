"""What went back of a payment: refunds from here or the dashboard, and disputes. The wallet or invoice then says so.

Each is kept as it is now, under the payment's lock, so that neither the order of what we hear matters nor who hears it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from django.db import connections
from django.db.models import Sum
from django.db.models.functions import Now

from billing.rating import total
from billing.stripe import amounts
from billing.stripe.errors import Disagreement
from billing.stripe.models import StripeDispute, StripeInvoice, StripeRefund, StripeTopUp, TakenBack
from billing.wallets import take_back

if TYPE_CHECKING:  # the SDK is loaded only where Stripe is really called
    from billing.stripe.gateway import Gateway

SYSTEM = "system"
LOST = "lost"
# Nothing is withdrawn: an inquiry, or one that ended in our favour. Every other dispute is open, but for the lost ones.
HARMLESS = ("won", "warning_closed", "warning_needs_response", "warning_under_review", "prevented")
CAME_BACK = ("failed", "canceled")  # a refund that did not happen after all
SESSIONS = UUID("6b0f0c1e-1d0b-4b36-9a53-6a1f3f2a7c55")  # sessions are ours to name in the outbox, which takes UUIDs


def refund_id(session_id: str) -> UUID:
    """The outbox's name for the refund that a person here asks for; there is one for each top-up."""
    return uuid5(SESSIONS, session_id)


def asked_here(session_id: str) -> str:
    """The wallet's operation for that refund."""
    return f"refund:{session_id}"


def granted_by(session_id: str) -> str:
    """The wallet's operation that credited a top-up."""
    return f"stripe:{session_id}"


def lock(name: str) -> None:
    """One at a time looks at this object or payment, until the caller's transaction ends."""
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"stripe:{name}"])


def keep_refund(refund: Any, *, at: Gateway) -> None:
    """The refund, and what it does to the wallet or the invoice that the payment was for."""
    _keep(StripeRefund, refund, at=at)


def keep_dispute(dispute: Any, *, at: Gateway) -> None:
    """The dispute, and what it does to the wallet or the invoice that the payment was for."""
    _keep(StripeDispute, dispute, at=at, reason=dispute.reason)


def settle_top_up(top_up: StripeTopUp) -> None:
    """The wallet lacks what went back of the top-up; called under the payment's lock."""
    for one in [*_of(StripeRefund, top_up.payment_intent), *_of(StripeDispute, top_up.payment_intent)]:
        if one.currency != top_up.currency:
            raise Disagreement(
                f"{one.pk} is in {one.currency}, its top-up in {top_up.currency}. Adjust the wallet by hand."
            )
        if one.session_id != top_up.session_id:  # it was heard of before the top-up itself
            one.tenant_id, one.session_id = top_up.tenant_id, top_up.session_id
            one.operation = _operation(one, top_up.session_id, ours=False)
            one.save(using=SYSTEM, update_fields=["tenant_id", "session_id", "operation"])
        take_back(
            top_up.tenant_id, owed=owed(one), currency=top_up.currency, granted_by=granted_by(top_up.session_id),
            kind=_KINDS[type(one)], operation=one.operation, actor="stripe", using=SYSTEM,
        )  # fmt: skip


def owed(one: TakenBack) -> Decimal:
    """What the wallet has to lack on its account. A dispute counts once it is lost: until then nothing is decided."""
    stands = one.status == LOST if isinstance(one, StripeDispute) else one.status not in CAME_BACK
    return amounts.from_minor(one.amount_minor, one.currency) if stands else Decimal(0)


def gone(top_up: StripeTopUp) -> Decimal:
    """What went back of the top-up so far."""
    rows = [*_of(StripeRefund, top_up.payment_intent), *_of(StripeDispute, top_up.payment_intent)]
    return total(owed(one) for one in rows)


def went_back() -> list[TakenBack]:
    """Every refund and dispute of a top-up."""
    refunds, disputes = StripeRefund.objects.using(SYSTEM), StripeDispute.objects.using(SYSTEM)
    return [*refunds.exclude(session_id=""), *disputes.exclude(session_id="")]


def _keep(kind: type[TakenBack], found: Any, *, at: Gateway, **more: str) -> None:
    intent = found.payment_intent or ""
    invoice_id = at.invoice_paid_by(intent) if intent else None
    lock(intent)
    top_up = StripeTopUp.objects.using(SYSTEM).filter(payment_intent=intent).exclude(payment_intent="").first()
    invoice = StripeInvoice.objects.using(SYSTEM).filter(invoice_id=invoice_id).first()
    payer = top_up or invoice
    row = kind(
        tenant_id=payer.tenant_id if payer else None, statement_id=invoice.pk if invoice else None,
        session_id=top_up.pk if top_up else "", payment_intent=intent, amount_minor=found.amount,
        currency=found.currency.upper(), status=found.status, **more,
    )  # fmt: skip
    row.pk = found.id
    row.operation = _operation(row, row.session_id, ours=_is_ours(found, row.session_id))
    kind._default_manager.using(SYSTEM).update_or_create(pk=found.id, defaults=_values(row))
    if top_up is not None:
        settle_top_up(top_up)
    if invoice is not None:
        _sum_up(invoice)


def _values(row: TakenBack) -> dict[str, Any]:
    names = [field.attname for field in row._meta.concrete_fields if not field.primary_key and field.name != "seen_at"]
    return {name: getattr(row, name) for name in names} | {"seen_at": Now()}


def _operation(row: TakenBack, session_id: str, *, ours: bool) -> str:
    if not session_id:
        return ""
    return asked_here(session_id) if ours else f"stripe:{row.pk}"


def _is_ours(found: Any, session_id: str) -> bool:
    metadata = found.metadata.to_dict() if found.metadata else {}
    return bool(session_id) and metadata.get("subject_id") == str(refund_id(session_id))


def _of(kind: type[TakenBack], intent: str) -> list[TakenBack]:
    return list(kind._default_manager.using(SYSTEM).filter(payment_intent=intent).exclude(payment_intent=""))


def _sum_up(invoice: StripeInvoice) -> None:
    disputes = StripeDispute.objects.using(SYSTEM).filter(statement_id=invoice.pk).exclude(status__in=HARMLESS)
    refunds = StripeRefund.objects.using(SYSTEM).filter(statement_id=invoice.pk).exclude(status__in=CAME_BACK)
    StripeInvoice.objects.using(SYSTEM).filter(pk=invoice.pk).update(
        disputed_minor=_sum(disputes.exclude(status=LOST)), lost_minor=_sum(disputes.filter(status=LOST)),
        refunded_minor=_sum(refunds),
    )  # fmt: skip


def _sum(rows: Any) -> int:
    return int(rows.aggregate(sum=Sum("amount_minor"))["sum"] or 0)


_KINDS: dict[type[TakenBack], str] = {StripeRefund: "refund", StripeDispute: "dispute"}

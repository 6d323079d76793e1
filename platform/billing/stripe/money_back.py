"""Credit notes, voids and refunds: asked for with a reason by one person, told to Stripe when another approves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connections

from billing.adjusting import ask
from billing.models import Adjustment
from billing.rating import difference
from billing.stripe import amounts
from billing.stripe.models import StripeCall, StripeTopUp
from billing.stripe.outbox import CREDIT_NOTE, REFUND, SYSTEM, VOID, add_call
from billing.stripe.pushing import invoice_of
from billing.stripe.taken_back import asked_here, gone, granted_by, refund_id
from billing.wallets import take_back

Kind = Adjustment.Kind
NOTHING = Decimal(0)

_FREE = "SELECT FROM public.wallet WHERE tenant_id = %s AND balance - held >= %s FOR UPDATE"


def request_credit_note(
    statement_id: UUID, *, amount: Decimal, memo: str, reason: str, text: str, actor: str, evidence: str = ""
) -> UUID:
    """Ask to give back a part of a pushed statement; `memo` is what the customer reads. Returns the adjustment's id.

    Raises `NotCollectable`, LookupError, ValueError.
    """
    row = invoice_of(statement_id)
    left = row.total_minor - row.credited_minor
    if not 0 < amounts.to_minor(amount, row.currency) <= left or not amounts.is_exact(amount, row.currency):
        most = f"{amounts.from_minor(left, row.currency):f} {row.currency}"
        raise ValueError(f"a credit note needs an amount above 0, of at most {most}, that Stripe can pay exactly")
    if not memo.strip():
        raise ValueError("a credit note tells the customer what it is for: write a memo")
    return ask(tenant_id=row.tenant_id, kind=Kind.CREDIT_NOTE, amount=-amount, currency=row.currency, reason=reason,
               text=text, evidence=evidence, memo=memo, statement_id=statement_id, created_by=actor)  # fmt: skip


def request_void(statement_id: UUID, *, reason: str, text: str, actor: str, evidence: str = "") -> UUID:
    """Ask that nobody has to pay a pushed statement any more. Returns the adjustment's id.

    Only an invoice that is not paid can be void; of a paid one a credit note gives the money back. Raises LookupError,
    ValueError.
    """
    row = invoice_of(statement_id)
    if row.status not in ("open", "uncollectible"):
        raise ValueError(f"the invoice is {row.status}; only an open one can be void. Give money back by a credit note")
    return ask(tenant_id=row.tenant_id, kind=Kind.VOID, amount=NOTHING, currency=row.currency, reason=reason, text=text,
               evidence=evidence, statement_id=statement_id, created_by=actor)  # fmt: skip


def request_refund(
    session_id: str, *, amount: Decimal, reason: str, text: str, actor: str, evidence: str = ""
) -> UUID:  # fmt: skip
    """Ask to send a top-up, or a part of it, back to where it came from. Returns the adjustment's id.

    Raises `NotCollectable`, ValueError.
    """
    top_up = _refundable(session_id, amount)
    return ask(tenant_id=top_up.tenant_id, kind=Kind.REFUND, amount=-amount, currency=top_up.currency, reason=reason,
               text=text, evidence=evidence, session_id=session_id, created_by=actor)  # fmt: skip


def give_back(asked: Adjustment, *, actor: str) -> None:
    """Have an approved one done, in the transaction that approves it. Raises what `request_…` raises."""
    amount = difference(NOTHING, asked.amount)
    if asked.kind == Kind.REFUND:
        _refund(asked, amount, actor=actor)
        return
    assert asked.statement_id is not None, "its constraint"
    row = invoice_of(asked.statement_id)
    if asked.kind == Kind.VOID:
        if not add_call(VOID, subject_id=row.pk, tenant_id=row.tenant_id, actor=actor):
            raise ValueError("this invoice is being voided already")
        return
    minor = amounts.to_minor(amount, row.currency)
    values = {"statement_id": str(row.pk), "amount_minor": minor, "memo": asked.memo}
    add_call(CREDIT_NOTE, subject_id=asked.pk, tenant_id=row.tenant_id, actor=actor, values=values)


def top_up_rows() -> list[tuple[Any, ...]]:
    """Tenant, time, amount, currency, what went back, Stripe's session; the newest first."""
    found = StripeTopUp.objects.using(SYSTEM).order_by("-credited_at")[:100_000]
    return [(one.tenant_id, one.credited_at, one.amount, one.currency, gone(one), one.pk) for one in found]


def _refundable(session_id: str, amount: Decimal) -> StripeTopUp:
    top_up = StripeTopUp.objects.using(SYSTEM).filter(pk=session_id).first()
    if top_up is None:
        raise ValueError(f"there is no paid top-up {session_id[:80]!r}; finance's page of top-ups lists them")
    left = difference(top_up.amount, gone(top_up))
    if not 0 < amount <= left or not amounts.is_exact(amount, top_up.currency):
        raise ValueError(
            f"at most what is left of the top-up ({left.normalize():f} {top_up.currency}) can be sent back, and only "
            "what Stripe can pay exactly"
        )
    if StripeCall.objects.using(SYSTEM).filter(kind=REFUND, subject_id=refund_id(session_id)).exists():
        raise ValueError("this top-up was sent back from here already; refund the rest in Stripe's dashboard")
    return top_up


def _refund(asked: Adjustment, amount: Decimal, *, actor: str) -> None:
    """The money leaves the wallet first, so that it cannot be spent and sent back."""
    top_up = _refundable(asked.session_id, amount)
    values = {"payment_intent": top_up.payment_intent, "amount_minor": amounts.to_minor(amount, top_up.currency)}
    if not add_call(REFUND, subject_id=refund_id(top_up.pk), tenant_id=top_up.tenant_id, actor=actor, values=values):
        raise ValueError("this top-up is being sent back already")
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_FREE, [top_up.tenant_id, amount])
        if cursor.rowcount == 0:
            raise ValueError("the wallet does not hold so much that is free")
    take_back(
        top_up.tenant_id, owed=amount, currency=top_up.currency, granted_by=granted_by(top_up.pk), kind="refund",
        operation=asked_here(top_up.pk), actor=actor, using=SYSTEM,
    )  # fmt: skip

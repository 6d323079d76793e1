"""Corrections: asked for with a reason by one person, booked when another approves. Nothing is changed in place."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.db.models.functions import Now

from billing import rating
from billing.errors import NothingToReverse, SamePerson, WrongStatus
from billing.models import Adjustment
from events.facade import record_audit
from tenants.facade import currency_of

Kind, Status = Adjustment.Kind, Adjustment.Status
AT_STRIPE = (Kind.CREDIT_NOTE, Kind.VOID, Kind.REFUND)
REASONS = ("goodwill", "outage", "quality", "pricing", "duplicate", "other")

# It counts in the month in which it is approved, in the first that is open.
_BOOK = """INSERT INTO public.usage_entry (subject_created_at, subject_id, tenant_id, livemode, currency, book_version,
   on_wallet, occurred_at, period, origin_period, kind, sequence, engine, model, mode, meter, raw_quantity,
   billable_quantity, unit_price, unit_size, amount)
 SELECT created_at, id, tenant_id, true, currency, 0, {on_wallet}, now(), public.parlance_open_period(month), month,
   'adjust', 0, '', '', '', 'money', 0, 0, 0, 1, amount
  FROM (SELECT *, public.parlance_origin_month(tenant_id, now()) AS month FROM public.adjustment
   WHERE id = %(id)s) AS asked"""
# Each entry once more, taken back: the key makes a second reversal impossible. It stays with its origin's month.
_REVERSE = """INSERT INTO public.usage_entry (subject_created_at, subject_id, tenant_id, livemode, api_key_id, currency,
   book_version, on_wallet, tags, occurred_at, period, origin_period, kind, sequence, engine, model, mode, feature,
   meter, raw_quantity, billable_quantity, unit_price, unit_size, amount)
 SELECT subject_created_at, subject_id, tenant_id, livemode, api_key_id, currency, book_version, on_wallet, tags,
   occurred_at, public.parlance_open_period(origin_period), origin_period, 'reversal',
   CASE kind WHEN 'usage' THEN sequence ELSE -1 - sequence END, engine, model, mode,
   feature, meter, -raw_quantity, -billable_quantity, unit_price, unit_size, -amount
  FROM public.usage_entry WHERE subject_created_at = %(created_at)s AND subject_id = %(subject_id)s
   AND tenant_id = %(tenant_id)s AND kind IN ('usage', 'adjust')
 ON CONFLICT DO NOTHING RETURNING amount, on_wallet"""
_REFUND = """UPDATE public.wallet SET balance = balance - %(amount)s, spent = spent + %(amount)s
 WHERE tenant_id = %(tenant_id)s"""
_ON_WALLET = "EXISTS (SELECT FROM public.wallet AS w WHERE w.tenant_id = asked.tenant_id)"


def request_adjustment(
    tenant_id: UUID,
    *,
    amount: Decimal,
    currency: str,
    reason: str,
    text: str,
    actor: str,
    evidence: str = "",
    using: str = "system",
) -> UUID:
    """Ask for a credit (below 0) or a debit (above 0); it counts once another person approves. Returns its id."""
    if not amount:
        raise ValueError("an adjustment has an amount")
    kind = Kind.CREDIT if amount < 0 else Kind.DEBIT
    return ask(using=using, tenant_id=tenant_id, kind=kind, amount=amount, currency=currency, reason=reason, text=text,
                evidence=evidence, created_by=actor)  # fmt: skip


def request_reversal(
    tenant_id: UUID,
    *,
    subject_id: UUID,
    subject_created_at: datetime,
    currency: str,
    reason: str,
    text: str,
    actor: str,
    evidence: str = "",
    using: str = "system",
) -> UUID:
    """Ask to take back what a job was billed; it counts once another person approves. Returns its id."""
    return ask(
        using=using, tenant_id=tenant_id, kind=Kind.REVERSAL, amount=Decimal(0), currency=currency, reason=reason,
        text=text, evidence=evidence, subject_id=subject_id, subject_created_at=subject_created_at, created_by=actor,
    )  # fmt: skip


def approve_adjustment(adjustment_id: UUID, *, actor: str, using: str = "system") -> None:
    """Book it, or have Stripe told. Raises `SamePerson` for whoever asked, and `WrongStatus`.

    Raises what stands in the way too, having done nothing: `NothingToReverse`, LookupError, ValueError.
    """
    with transaction.atomic(using=using):
        asked = _open(adjustment_id, actor=actor, using=using)
        if asked.kind == Kind.REVERSAL:
            _reverse(asked, using=using)
        elif asked.kind in AT_STRIPE:
            from billing.stripe.money_back import give_back  # late: it loads the SDK

            give_back(asked, actor=actor)
        else:
            _book(asked, using=using)
        _decide(asked, Status.APPROVED, actor=actor, using=using)


def reject_adjustment(adjustment_id: UUID, *, actor: str, using: str = "system") -> None:
    """Leave it unbooked for good. Raises `SamePerson` and `WrongStatus`."""
    with transaction.atomic(using=using):
        _decide(_open(adjustment_id, actor=actor, using=using), Status.REJECTED, actor=actor, using=using)


def list_adjustments(*, tenant_id: UUID | None = None, using: str = "system") -> list[Adjustment]:
    """The newest first."""
    rows = Adjustment.objects.using(using).order_by("-id")
    return list(rows.filter(tenant_id=tenant_id) if tenant_id else rows)


def ask(*, using: str = "system", **values: Any) -> UUID:
    """Keep what is asked for until another person decides. ValueError: without a reason, or in another currency."""
    asked = Adjustment(**values)
    if asked.reason not in REASONS or not asked.text.strip():
        raise ValueError(f"an adjustment says why, with one of these reasons: {', '.join(REASONS)}")
    if asked.currency != (own := currency_of(asked.tenant_id)):
        raise ValueError(f"the tenant is billed in {own}; {asked.currency} cannot be on its statement")
    with transaction.atomic(using=using):
        asked.save(using=using, force_insert=True)
        record_audit(
            "adjustment.requested", actor=asked.created_by, subject=str(asked.id), tenant_id=asked.tenant_id,
            using=using, after={"kind": asked.kind, "amount": str(asked.amount), "reason": asked.reason},
        )  # fmt: skip
    return asked.id


def _open(adjustment_id: UUID, *, actor: str, using: str) -> Adjustment:
    asked = Adjustment.objects.using(using).select_for_update().get(pk=adjustment_id)
    if asked.status != Status.REQUESTED:
        raise WrongStatus("adjustment", status=asked.status, wanted=Status.REQUESTED)
    if asked.created_by == actor:
        raise SamePerson(actor)
    return asked


def _book(asked: Adjustment, *, using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(_BOOK.format(on_wallet=_ON_WALLET), {"id": asked.pk})
        cursor.execute(_REFUND, {"amount": asked.amount, "tenant_id": asked.tenant_id})


def _reverse(asked: Adjustment, *, using: str) -> None:
    values = {
        "created_at": asked.subject_created_at, "subject_id": asked.subject_id, "tenant_id": asked.tenant_id,
    }  # fmt: skip
    with connections[using].cursor() as cursor:
        cursor.execute(_REVERSE, values)
        rows = cursor.fetchall()
        if not rows:
            raise NothingToReverse(asked.subject_id)
        paid = rating.total(amount for amount, on_wallet in rows if on_wallet)
        if paid:
            cursor.execute(_REFUND, {"amount": paid, "tenant_id": asked.tenant_id})


def _decide(asked: Adjustment, status: Adjustment.Status, *, actor: str, using: str) -> None:
    rows = Adjustment.objects.using(using).filter(pk=asked.pk)
    rows.update(status=status, approved_by=actor, approved_at=Now())
    record_audit(
        f"adjustment.{status}", actor=actor, subject=str(asked.pk), tenant_id=asked.tenant_id, using=using,
        after={"kind": asked.kind, "amount": str(asked.amount)},
    )  # fmt: skip

"""Σ statements = Σ Stripe, or where they differ; reads what Stripe last showed, so it asks nobody."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from billing.contracts import Difference
from billing.models import WalletEntry
from billing.rating import difference, total
from billing.stripe import amounts
from billing.stripe.models import StripeEvent
from billing.stripe.taken_back import HARMLESS, SYSTEM, owed, went_back
from billing.wallets import named

# Every statement that Stripe is to collect and that was pushed, and every invoice, side by side.
_BOTH = """SELECT s.id, s.currency, s.due, i.invoice_id, i.status, i.currency, i.total_minor, i.paid_minor,
   i.credited_minor, coalesce(s.id, i.statement_id), EXISTS (SELECT FROM public.adjustment AS a
     WHERE a.statement_id = s.id AND a.kind = 'void' AND a.status = 'approved')
  FROM (SELECT * FROM public.statement WHERE collection = 'stripe' AND due > 0 AND status IN ('pushed', 'closed')) AS s
  FULL JOIN public.stripe_invoice AS i ON i.statement_id = s.id ORDER BY 10"""
# A dispute that was lost, or a refund by a credit note, is an outcome that the books show; a refund without one is not.
_SENT_BACK = """SELECT statement_id, credited_minor, refunded_minor FROM public.stripe_invoice
 WHERE refunded_minor > credited_minor ORDER BY 1"""
_DISPUTED = """SELECT i.statement_id, (i.disputed_minor, i.lost_minor)::text, (d.open, d.lost)::text
  FROM public.stripe_invoice AS i LEFT JOIN LATERAL (
   SELECT coalesce(sum(amount_minor) FILTER (WHERE status <> 'lost'), 0) AS open,
     coalesce(sum(amount_minor) FILTER (WHERE status = 'lost'), 0) AS lost
    FROM public.stripe_dispute WHERE statement_id = i.statement_id AND status <> ALL(%s)) AS d ON true
 WHERE (i.disputed_minor, i.lost_minor) <> (d.open, d.lost) ORDER BY 1"""
_CREDITED = """SELECT t.session_id, t.amount, coalesce(e.amount, 0) FROM public.stripe_top_up AS t
 LEFT JOIN public.wallet_entry AS e ON (e.tenant_id, e.operation) = (t.tenant_id, 'stripe:' || t.session_id)
 WHERE t.amount <> coalesce(e.amount, 0) ORDER BY 1"""
_UNHEARD = """SELECT event_id, type, error FROM public.stripe_event WHERE handled_at IS NULL AND attempts >= %s
 ORDER BY 1"""
_STUCK = "SELECT kind, subject_id, error FROM public.stripe_call WHERE state = 'failed' ORDER BY id"


def differences(cursor: Any) -> Iterator[Difference]:
    """Each statement against its invoice, what went back of payments against the books, and what was given up."""
    yield from _invoices(cursor)
    yield from _refunds_and_disputes(cursor)
    cursor.execute(_CREDITED)
    for session_id, amount, credited in cursor.fetchall():
        yield Difference("top-up and the wallet's credit for it", session_id, str(amount), str(credited))
    cursor.execute(_UNHEARD, [StripeEvent.MAX_ATTEMPTS])
    for event_id, kind, error in cursor.fetchall():
        yield Difference(f"event from Stripe: {kind}", event_id, "handled", error)
    cursor.execute(_STUCK)
    for kind, subject, error in cursor.fetchall():
        yield Difference(f"call to Stripe: {kind}", str(subject), "done", error)


def _refunds_and_disputes(cursor: Any) -> Iterator[Difference]:
    cursor.execute(_SENT_BACK)
    for statement_id, credited, refunded in cursor.fetchall():
        yield Difference("refunds of an invoice and its credit notes", str(statement_id), str(credited), str(refunded))
    cursor.execute(_DISPUTED, [list(HARMLESS)])
    for statement_id, kept, found in cursor.fetchall():
        yield Difference("disputes of an invoice and what it says of them", str(statement_id), found, kept)
    for one in went_back():
        assert one.tenant_id is not None, "a top-up has a tenant"
        taken = WalletEntry.objects.using(SYSTEM).filter(named(one.operation), tenant_id=one.tenant_id)
        found = difference(Decimal(0), total(taken.values_list("amount", flat=True)))
        if owed(one) != found:
            yield Difference("what went back of a top-up and left the wallet", one.pk, str(owed(one)), str(found))


def _invoices(cursor: Any) -> Iterator[Difference]:
    cursor.execute(_BOTH)
    for row in cursor.fetchall():
        statement_id, currency, due, invoice_id, status, at_stripe, asked, paid, credited, subject, may_be_void = row
        if statement_id is None or invoice_id is None:
            missing = "statement" if statement_id is None else "invoice at Stripe"
            yield Difference(f"statement and its invoice: no {missing}", str(subject), "both", "one")
            continue
        wanted = amounts.to_minor(due, currency)
        if (wanted, currency) != (asked, at_stripe):
            yield Difference("statement's due and its invoice's total", str(subject), f"{wanted} {currency}",
                             f"{asked} {at_stripe}")  # fmt: skip
        if status == "void" and not may_be_void:
            yield Difference("pushed statement's invoice", str(subject), "asked for", "void")
        if status == "paid" and paid + credited < asked:
            yield Difference("paid invoice's payments and credits", str(subject), str(asked), f"{paid} + {credited}")

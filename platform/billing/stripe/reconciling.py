"""Σ statements = Σ Stripe, or where they differ; reads what Stripe last showed, so it asks nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from billing.contracts import Difference
from billing.stripe import amounts

# Every statement that Stripe is to collect and that was pushed, and every invoice, side by side.
_BOTH = """SELECT s.id, s.currency, s.due, i.invoice_id, i.status, i.currency, i.total_minor, i.paid_minor,
   i.credited_minor, coalesce(s.id, i.statement_id)
  FROM (SELECT * FROM public.statement WHERE collection = 'stripe' AND due > 0 AND status IN ('pushed', 'closed')) AS s
  FULL JOIN public.stripe_invoice AS i ON i.statement_id = s.id ORDER BY 10"""
_STUCK = "SELECT kind, subject_id, error FROM public.stripe_call WHERE state = 'failed' ORDER BY id"


def differences(cursor: Any) -> Iterator[Difference]:
    """Each statement against its invoice, and calls that were given up."""
    cursor.execute(_BOTH)
    for statement_id, currency, due, invoice_id, status, at_stripe, total, paid, credited, subject in cursor.fetchall():
        if statement_id is None or invoice_id is None:
            missing = "statement" if statement_id is None else "invoice at Stripe"
            yield Difference(f"statement and its invoice: no {missing}", str(subject), "both", "one")
            continue
        wanted = amounts.to_minor(due, currency)
        if (wanted, currency) != (total, at_stripe):
            yield Difference("statement's due and its invoice's total", str(subject), f"{wanted} {currency}",
                             f"{total} {at_stripe}")  # fmt: skip
        if status == "void":
            yield Difference("pushed statement's invoice", str(subject), "asked for", "void")
        if status == "paid" and paid + credited < total:
            yield Difference("paid invoice's payments and credits", str(subject), str(total), f"{paid} + {credited}")
    cursor.execute(_STUCK)
    for kind, subject, error in cursor.fetchall():
        yield Difference(f"call to Stripe: {kind}", str(subject), "done", error)

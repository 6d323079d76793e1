"""Adjustments: one person asks, with a reason; another one decides."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.http import HttpResponse

from billing.facade import (
    approve_adjustment,
    billed_job,
    list_adjustments,
    reject_adjustment,
    request_adjustment,
    request_reversal,
)
from billing.stripe.facade import request_credit_note, request_refund, request_void, top_up_rows
from console.finance.asking import names, require, tenant_of
from console.finance.forms import Field, Form, asking
from console.finance.handling import Refusal, Visit, back, table_page
from console.finance.roles import APPROVE, REQUEST
from console.finance.tables import Link, Table
from tenants.facade import currency_of

CREDIT_OR_DEBIT = "Write the amount like -12.50; a credit is below 0."
BACK = "Write the amount that goes back, like 12.50."


def adjustments(visit: Visit) -> HttpResponse:
    if visit.request.method == "POST":
        return _ask(visit)
    known, found = names(), list_adjustments()
    rows = [
        (
            one.created_at, known.get(one.tenant_id, str(one.tenant_id)), one.kind, one.amount, one.currency,
            one.reason, one.text, one.evidence, one.status, one.created_by, one.approved_by,
            str(one.subject_id or ""), _statement_link(one.statement_id), one.session_id, one.memo,
        )
        for one in found
    ]  # fmt: skip
    head = ("Time", "Tenant", "Kind", "Amount", "Currency", "Reason", "Text", "Evidence", "Status", "Asked by",
            "Approved by", "Job", "Statement", "Top-up", "Memo")  # fmt: skip
    waiting = [
        (
            f"/finance/adjustments/{one.id}",
            f"{known.get(one.tenant_id)}: {_what(one)}, {one.text}",
        )
        for one in found
        if one.status == "requested" and visit.may(APPROVE) and one.created_by != visit.actor
    ]
    forms = [
        asking(
            visit, visit.say("Ask for an adjustment"), "/finance/adjustments", Field("tenant", visit.say("Tenant")),
            Field("amount", visit.say("Amount"), example="-12.50"),
        )
    ] if visit.may(REQUEST) else []  # fmt: skip
    filters = {"tenant": 1, "kind": 2, "currency": 4, "status": 8}
    table = Table(head, rows, name="adjustments", numbers=frozenset({3}), filters=filters, currency=4, sums={3})
    return table_page(visit, "Adjustments", table, waiting=waiting, forms=forms)


def top_ups(visit: Visit) -> HttpResponse:
    """What was paid into wallets by card, and what went back of it."""
    if visit.request.method == "POST":
        return _ask_refund(visit)
    known = names()
    rows = [(known.get(one[0], str(one[0])), *one[1:]) for one in top_up_rows()]
    forms = [
        asking(
            visit, visit.say("Ask to send a top-up back"), "/finance/top-ups", Field("session", visit.say("Top-up"),
            example="cs_…"), Field("amount", visit.say("Amount"), example="12.50"),
        )
    ] if visit.may(REQUEST) else []  # fmt: skip
    head = ("Tenant", "Time", "Amount", "Currency", "Went back", "Top-up")
    table = Table(head, rows, name="top-ups", numbers=frozenset({2, 4}), filters={"tenant": 0, "currency": 3},
                  currency=3, sums={2, 4})  # fmt: skip
    return table_page(visit, "Top-ups", table, forms=forms)


def invoice_forms(visit: Visit, statement_id: UUID) -> list[Form]:
    """What can be asked for once a statement's invoice is at Stripe."""
    own = f"/finance/statements/{statement_id}"
    return [
        asking(
            visit, visit.say("Ask for a credit note"), f"{own}/credit-note", Field("amount", visit.say("Amount"),
            example="12.50"), Field("memo", visit.say("What the customer reads")),
        ),
        asking(visit, visit.say("Ask to void the invoice"), f"{own}/void"),
    ]  # fmt: skip


def credit_note(visit: Visit, statement_id: str) -> HttpResponse:
    """Ask to give back a part of a statement; another person has it done."""
    require(visit, REQUEST)
    form = visit.request.POST
    request_credit_note(
        UUID(statement_id), amount=_amount(form.get("amount", ""), BACK), memo=form.get("memo", "").strip()[:500],
        actor=visit.actor, **_why(visit),
    )  # fmt: skip
    return back("/finance/adjustments")


def void(visit: Visit, statement_id: str) -> HttpResponse:
    """Ask that nobody has to pay an invoice any more; another person has it done."""
    require(visit, REQUEST)
    request_void(UUID(statement_id), actor=visit.actor, **_why(visit))
    return back("/finance/adjustments")


def _ask_refund(visit: Visit) -> HttpResponse:
    require(visit, REQUEST)
    form = visit.request.POST
    amount = _amount(form.get("amount", ""), BACK)
    request_refund(form.get("session", "").strip(), amount=amount, actor=visit.actor, **_why(visit))
    return back("/finance/adjustments")


def _what(asked: Any) -> str:
    if asked.subject_id is not None or (asked.statement_id is not None and not asked.amount):
        return f"{asked.kind} {asked.subject_id or asked.statement_id}"
    return f"{asked.kind} {asked.amount.normalize():f} {asked.currency}"


def _statement_link(statement_id: UUID | None) -> Link | None:
    return Link(str(statement_id), f"/finance/statements/{statement_id}") if statement_id else None


def _why(visit: Visit) -> dict[str, str]:
    form = visit.request.POST
    return {
        "reason": form.get("reason", ""), "text": form.get("text", "").strip()[:500],
        "evidence": form.get("evidence", "").strip()[:500],
    }  # fmt: skip


def _amount(raw: str, wrong: str) -> Decimal:
    try:
        amount = Decimal(raw.strip())
    except InvalidOperation:
        raise Refusal(422, wrong) from None
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 20:
        raise Refusal(422, wrong)
    return amount


def reverse(visit: Visit, job_id: str) -> HttpResponse:
    """Ask to take back all that a job was billed; another person books it."""
    require(visit, REQUEST)
    billed = billed_job(UUID(job_id))
    if billed is None:
        raise Refusal(422, "The ledger knows no live usage of this job.")
    request_reversal(
        billed.tenant_id, subject_id=UUID(job_id), subject_created_at=billed.subject_created_at,
        currency=billed.currency, actor=visit.actor, **_why(visit),
    )  # fmt: skip
    return back("/finance/adjustments")


def answer(visit: Visit, adjustment_id: str, answer: str) -> HttpResponse:
    require(visit, APPROVE)
    decide = approve_adjustment if answer == "approve" else reject_adjustment
    decide(UUID(adjustment_id), actor=visit.actor)
    return back("/finance/adjustments")


def _ask(visit: Visit) -> HttpResponse:
    require(visit, REQUEST)
    form = visit.request.POST
    tenant_id = tenant_of(visit, form.get("tenant", ""))
    if tenant_id is None:
        raise Refusal(422, "Name the tenant, and say why in a sentence.")
    amount = _amount(form.get("amount", ""), CREDIT_OR_DEBIT)
    request_adjustment(tenant_id, amount=amount, currency=currency_of(tenant_id), actor=visit.actor, **_why(visit))
    return back("/finance/adjustments")

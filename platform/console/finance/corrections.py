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
from console.finance.asking import names, require, tenant_of
from console.finance.handling import Refusal, Visit, back, table_page
from console.finance.roles import APPROVE, REQUEST
from console.finance.tables import Table
from tenants.facade import currency_of

REASONS = ("goodwill", "outage", "quality", "pricing", "duplicate", "other")


def adjustments(visit: Visit) -> HttpResponse:
    if visit.request.method == "POST":
        return _ask(visit)
    known, found = names(), list_adjustments()
    rows = [
        (
            one.created_at, known.get(one.tenant_id, str(one.tenant_id)), one.kind, one.amount, one.currency,
            one.reason, one.text, one.evidence, one.status, one.created_by, one.approved_by,
            str(one.subject_id or ""),
        )
        for one in found
    ]  # fmt: skip
    head = ("Time", "Tenant", "Kind", "Amount", "Currency", "Reason", "Text", "Evidence", "Status", "Asked by",
            "Approved by", "Job")  # fmt: skip
    waiting = [
        (
            f"/finance/adjustments/{one.id}",
            f"{known.get(one.tenant_id)}: {_what(one)}, {one.text}",
        )
        for one in found
        if one.status == "requested" and visit.may(APPROVE) and one.created_by != visit.actor
    ]
    form = {"reasons": REASONS} if visit.may(REQUEST) else None
    table = Table(head, rows, name="adjustments", numbers=frozenset({3}))
    return table_page(visit, "Adjustments", table, waiting=waiting, adjustment_form=form)


def _what(asked: Any) -> str:
    if asked.subject_id is not None:
        return f"{asked.kind} {asked.subject_id}"
    return f"{asked.amount.normalize():f} {asked.currency}"


def reverse(visit: Visit, job_id: str) -> HttpResponse:
    """Ask to take back all that a job was billed; another person books it."""
    require(visit, REQUEST)
    form, billed = visit.request.POST, billed_job(UUID(job_id))
    if billed is None:
        raise Refusal(422, "The ledger knows no live usage of this job.")
    request_reversal(
        billed.tenant_id, subject_id=UUID(job_id), subject_created_at=billed.subject_created_at,
        currency=billed.currency, reason=form.get("reason", ""), text=form.get("text", "").strip()[:500],
        actor=visit.actor,
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
    text = form.get("text", "").strip()
    if tenant_id is None or not text:
        raise Refusal(422, "Name the tenant, and say why in a sentence.")
    try:
        amount = Decimal(form.get("amount", ""))
    except InvalidOperation:
        raise Refusal(422, "Write the amount like -12.50; a credit is below 0.") from None
    if not amount.is_finite():
        raise Refusal(422, "Write the amount like -12.50; a credit is below 0.")
    request_adjustment(
        tenant_id, amount=amount, currency=currency_of(tenant_id), reason=form.get("reason", ""), text=text[:500],
        evidence=form.get("evidence", "")[:500], actor=visit.actor,
    )  # fmt: skip
    return back("/finance/adjustments")

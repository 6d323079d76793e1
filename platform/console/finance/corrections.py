"""Adjustments: one person asks, with a reason; another one decides."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.http import HttpResponse

from billing.facade import approve_adjustment, list_adjustments, reject_adjustment, request_adjustment
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
        )
        for one in found
    ]  # fmt: skip
    head = ("Time", "Tenant", "Kind", "Amount", "Currency", "Reason", "Text", "Evidence", "Status", "Asked by",
            "Approved by")  # fmt: skip
    waiting = [
        (
            f"/finance/adjustments/{one.id}",
            f"{known.get(one.tenant_id)}: {one.amount.normalize():f} {one.currency}, {one.text}",
        )
        for one in found
        if one.status == "requested" and visit.may(APPROVE) and one.created_by != visit.actor
    ]
    form = {"reasons": REASONS} if visit.may(REQUEST) else None
    table = Table(head, rows, name="adjustments", numbers=frozenset({3}))
    return table_page(visit, "Adjustments", table, waiting=waiting, adjustment_form=form)


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

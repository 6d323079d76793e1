"""Tables to look at: the ledger, wallets, receivables, differences, the audit log."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpResponse

from billing.facade import (
    Run,
    Wanted,
    ask_reconciliation,
    audit_rows,
    ledger_rows,
    receivable_rows,
    reconciliation_runs,
    wallet_rows,
)
from console.finance.asking import NO_RIGHT, month_of, names, require, tenant_of
from console.finance.forms import asking
from console.finance.handling import Refusal, Visit, back, table_page
from console.finance.roles import AUDIT, CLOSE, REQUEST
from console.finance.tables import Link, Table, text_of

PAGE = 200
RUNS = 7  # a week of nights
LEDGER = (
    "Occurred", "Tenant", "Job", "Kind", "Meter", "Engine", "Model", "Mode", "Feature", "Raw", "Billable", "Unit price",
    "Per", "Amount", "Currency", "Price book", "Origin",
)  # fmt: skip


def ledger(visit: Visit) -> HttpResponse:
    month, asked, known = month_of(visit), visit.request.GET, names()
    wanted = Wanted(
        month, tenant_of(visit), asked.get("engine", ""), asked.get("meter", ""), asked.get("kind", ""),
        asked.get("job", ""),
    )  # fmt: skip
    found = ledger_rows(wanted, offset=_offset(visit), limit=PAGE + 1)
    rows = [
        (
            one.occurred_at, known.get(one.tenant_id, str(one.tenant_id)),
            Link(str(one.subject_id), f"/finance/ledger?month={month:%Y-%m}&job={one.subject_id}"), one.kind, one.meter,
            one.engine, one.model, one.mode, one.feature, one.raw_quantity, one.billable_quantity, one.unit_price,
            one.unit_size, one.amount, one.currency,
            Link(str(one.book_version), f"/finance/prices/{one.book_version}"), f"{one.origin_period:%Y-%m}",
        )
        for one in found[:PAGE]
    ]  # fmt: skip
    sums: dict[str, object] = {}
    for one in found[:PAGE]:
        sums[one.currency] = sums.get(one.currency, 0) + one.amount  # type: ignore[operator]  # Decimal after the first
    totals = [""] * 17
    totals[0] = visit.say("Total")
    if len(sums) == 1:  # nothing is added across currencies
        ((currency, amount),) = sums.items()
        totals[13], totals[14] = amount, currency  # type: ignore[call-overload]  # a cell
    more = _next(visit) if len(found) > PAGE else ""
    table = Table(LEDGER, rows, totals, more, f"ledger-{month:%Y-%m}", frozenset({9, 10, 11, 12, 13}))
    filters = {name: asked.get(name, "") for name in ("tenant", "engine", "meter", "kind")}
    is_billed = bool(wanted.job) and any(one.kind == "usage" for one in found)
    forms = []
    if is_billed and visit.may(REQUEST):
        title, action = visit.say("Take back what this job was billed"), f"/finance/jobs/{found[0].subject_id}/reverse"
        forms = [asking(visit, title, action)]
    return table_page(visit, "Ledger", table, month=f"{month:%Y-%m}", filters=filters, forms=forms)


def wallets(visit: Visit) -> HttpResponse:
    known = names()
    rows = [(known.get(one[0], str(one[0])), *one[1:]) for one in wallet_rows()]
    head = ("Tenant", "Currency", "Balance", "Held", "Credit limit")
    return table_page(visit, "Wallets", Table(head, rows, name="wallets", numbers=frozenset({2, 3, 4})))


def receivables(visit: Visit) -> HttpResponse:
    known = names()
    rows = [
        (known.get(one[0], str(one[0])), Link(f"{one[2]:%Y-%m}", f"/finance/statements/{one[1]}"), *one[3:])
        for one in receivable_rows()
    ]
    head = ("Tenant", "Statement", "Invoice", "Status", "Currency", "Due", "Paid", "Credited", "Disputed", "Lost",
            "Attempts", "Next attempt", "Error")  # fmt: skip
    return table_page(
        visit, "Accounts receivable", Table(head, rows, name="receivables", numbers=frozenset({5, 6, 7, 8, 9, 10}))
    )


def reconciliation(visit: Visit) -> HttpResponse:
    """The last run that ended, as it was kept: a check of a large ledger takes minutes, too long for a page."""
    runs = reconciliation_runs()
    last = next((run for run in runs if run.found is not None), None)
    rows = [(one.what, one.subject, one.expected, one.found) for one in last.differences] if last else []
    table = Table(("What", "Subject", "Expected", "Found"), rows, name="reconciliation")
    note = "Everything agrees." if last and not last.found else ""
    steps = [("/finance/reconciliation/run", visit.say("Compare everything now"))] if visit.may(CLOSE) else []
    return table_page(visit, "Reconciliation", table, note=visit.say(note), steps=steps, facts=_runs_told(visit, runs))


def reconcile(visit: Visit) -> HttpResponse:
    require(visit, CLOSE)
    ask_reconciliation(actor=visit.actor)
    return back("/finance/reconciliation")


def _runs_told(visit: Visit, runs: Sequence[Run]) -> list[tuple[str, str]]:
    """When, by whom, and what came of it; the newest first."""
    told = []
    for run in runs[:RUNS]:
        state = visit.say("waits" if run.begun_at is None else "goes on" if run.ended_at is None else "broke off")
        if run.found is not None:
            state = f"{visit.say('Differences')}: {run.found} · {visit.say('months hashed anew')}: {run.months}"
        when = text_of(run.ended_at or run.begun_at or run.asked_at)
        told.append((f"{when} {run.asked_by}", f"{state} {run.error}".strip()))
    return told


def audit_log(visit: Visit) -> HttpResponse:
    if not visit.may(AUDIT):
        raise Refusal(403, NO_RIGHT)
    found = audit_rows(offset=_offset(visit), limit=PAGE + 1)
    head = ("Time", "Actor", "Action", "Subject", "Address", "Before", "After")
    more = _next(visit) if len(found) > PAGE else ""
    return table_page(visit, "Audit log", Table(head, found[:PAGE], (), more, "audit-log"))


def _offset(visit: Visit) -> int:
    raw = visit.request.GET.get("from", "0")
    return min(int(raw), 10_000_000) if raw.isascii() and raw.isdigit() else 0


def _next(visit: Visit) -> str:
    query = visit.request.GET.copy()
    query["from"] = str(_offset(visit) + PAGE)
    query.pop("format", None)
    return f"?{query.urlencode()}"

"""Tables to look at: the ledger, wallets, receivables, differences, the audit log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.http import HttpResponse

from billing.facade import (
    LedgerSum,
    Run,
    Wanted,
    ask_reconciliation,
    audit_rows,
    ledger_rows,
    ledger_sums,
    receivable_rows,
    reconciliation_runs,
    wallet_rows,
)
from console.finance.asking import NO_RIGHT, month_of, names, require, tenant_of
from console.finance.forms import asking
from console.finance.handling import Refusal, Visit, back, is_file, next_page, offset_of, table_page
from console.finance.lists import PAGE
from console.finance.roles import AUDIT, CLOSE, REQUEST
from console.finance.tables import Cell, Link, Table, text_of

MOST = 100_000  # rows of one file: a workbook of them takes some seconds
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
    found, more = _listed(visit, partial(ledger_rows, wanted))
    rows = [
        (
            one.occurred_at, known.get(one.tenant_id, str(one.tenant_id)),
            Link(str(one.subject_id), f"/finance/ledger?month={month:%Y-%m}&job={one.subject_id}"), one.kind, one.meter,
            one.engine, one.model, one.mode, one.feature, one.raw_quantity, one.billable_quantity, one.unit_price,
            one.unit_size, one.amount, one.currency,
            Link(str(one.book_version), f"/finance/prices/{one.book_version}"), f"{one.origin_period:%Y-%m}",
        )
        for one in found
    ]  # fmt: skip
    sums = ledger_sums(wanted)
    numbers = frozenset({9, 10, 11, 12, 13})
    table = Table(
        LEDGER, rows, _totals(visit, sums), more, f"ledger-{month:%Y-%m}", numbers, whole=_is_whole(visit, more)
    )
    filters = {name: asked.get(name, "") for name in ("tenant", "engine", "meter", "kind")}
    is_billed = bool(wanted.job) and any(one.kind == "usage" for one in found)
    forms = []
    if is_billed and visit.may(REQUEST):
        title, action = visit.say("Take back what this job was billed"), f"/finance/jobs/{found[0].subject_id}/reverse"
        forms = [asking(visit, title, action)]
    facts = [
        (visit.say("Cost" if one.is_cost else "Billed"), f"{text_of(one.amount)} {one.currency} \u00b7 {one.entries}")
        for one in sums
    ]
    return table_page(visit, "Ledger", table, month=f"{month:%Y-%m}", filters=filters, forms=forms, facts=facts)


def _totals(visit: Visit, sums: Sequence[LedgerSum]) -> list[Cell]:
    """Nothing is added across currencies, nor what was billed to what it cost."""
    if len(sums) != 1:
        return []
    totals: list[Cell] = [visit.say("Total"), *[""] * (len(LEDGER) - 1)]
    totals[13], totals[14] = sums[0].amount, sums[0].currency
    return totals


def wallets(visit: Visit) -> HttpResponse:
    known = names()
    rows = [(known.get(one[0], str(one[0])), *one[1:]) for one in wallet_rows()]
    head = ("Tenant", "Currency", "Balance", "Held", "Credit limit")
    numbers = frozenset({2, 3, 4})
    table = Table(head, rows, name="wallets", numbers=numbers, filters={"tenant": 0, "currency": 1}, currency=1,
                  sums=numbers)  # fmt: skip
    return table_page(visit, "Wallets", table)


def receivables(visit: Visit) -> HttpResponse:
    known = names()
    rows = [
        (known.get(one[0], str(one[0])), Link(f"{one[2]:%Y-%m}", f"/finance/statements/{one[1]}"), *one[3:])
        for one in receivable_rows()
    ]
    head = ("Tenant", "Statement", "Invoice", "Status", "Currency", "Due", "Paid", "Credited", "Disputed", "Lost",
            "Attempts", "Next attempt", "Error")  # fmt: skip
    money = frozenset({5, 6, 7, 8, 9})
    filters = {"tenant": 0, "statement": 1, "invoice": 2, "status": 3, "currency": 4}
    table = Table(head, rows, name="receivables", numbers=money | {10}, filters=filters, currency=4, sums=money)
    return table_page(visit, "Accounts receivable", table)


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
    asked = visit.request.GET
    found, more = _listed(visit, partial(audit_rows, *(asked.get(name, "") for name in ("actor", "action", "subject"))))
    head = ("Time", "Actor", "Action", "Subject", "Address", "Before", "After")
    filters = {name: asked.get(name, "") for name in ("actor", "action", "subject")}
    table = Table(head, found, (), more, "audit-log", whole=_is_whole(visit, more))
    return table_page(visit, "Audit log", table, filters=filters)


def _listed(visit: Visit, read: Callable[..., list[Any]]) -> tuple[list[Any], str]:
    """A page and where the next one begins; for a file the whole list, or a refusal."""
    if is_file(visit):
        found = read(offset=0, limit=MOST + 1)
        if len(found) > MOST:
            raise Refusal(422, "More than 100,000 rows. Narrow the list by tenant, engine or month, then export it.")
        return found, ""
    found = read(offset=offset_of(visit), limit=PAGE + 1)
    return found[:PAGE], next_page(visit) if len(found) > PAGE else ""


def _is_whole(visit: Visit, more: str) -> bool:
    return is_file(visit) or (not more and not offset_of(visit))

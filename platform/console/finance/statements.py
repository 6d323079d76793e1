"""Statements, their lines, and what is behind a line."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse

from billing.facade import Statement, entries_page, list_statements, statement_of
from console.finance.asking import month_of, names
from console.finance.closing import NEXT
from console.finance.corrections import invoice_forms
from console.finance.handling import Refusal, Visit, is_file, table_page
from console.finance.roles import REQUEST
from console.finance.tables import Link, Table

MAX_ENTRIES = 5_000  # on a page
MOST = 100_000  # in a file
_MONEY = frozenset({3, 4, 5, 6, 7})


def statements(visit: Visit) -> HttpResponse:
    month = month_of(visit)
    table = board_table(list_statements(period=month), name=f"statements-{month:%Y-%m}")
    return table_page(visit, "Statements", table, month=f"{month:%Y-%m}")


def board_table(found: list[Statement], *, name: str) -> Table:
    """A month's statements, one a row."""
    known = names()
    rows = [
        (
            Link(known.get(one.terms.tenant_id, str(one.terms.tenant_id)), f"/finance/statements/{one.id}"), one.status,
            one.terms.currency, one.totals.subtotal, one.totals.tax, one.totals.total, one.totals.from_wallet,
            one.totals.due, one.entries, one.terms.collection, one.reviewed_by, one.approved_by,
        )
        for one in found
    ]  # fmt: skip
    head = ("Tenant", "Status", "Currency", "Amount", "Tax", "Total", "From wallet", "Due", "Entries", "Collection",
            "Review", "Approved by")  # fmt: skip
    filters = {"tenant": 0, "status": 1, "currency": 2, "collection": 9}
    sums = _MONEY | {8}
    return Table(head, rows, name=name, numbers=sums, filters=filters, currency=2, sums=sums)


def statement(visit: Visit, statement_id: str) -> HttpResponse:
    found = statement_of(UUID(statement_id))
    rows = [
        (
            Link(str(ordinal + 1), f"/finance/statements/{found.id}/lines/{ordinal}"), line.kind, line.description,
            line.quantity, line.unit_price, line.unit_size, line.tier, line.formula, line.entries, line.amount,
        )
        for ordinal, line in enumerate(found.lines)
    ]  # fmt: skip
    total = (visit.say("Total"), "", "", "", "", "", "", "", found.entries, found.totals.total)
    head = ("Line", "Kind", "Text", "Quantity", "Unit price", "Per", "Tier", "Formula", "Entries", "Amount")
    table = Table(head, rows, total, "", f"statement-{found.terms.period:%Y-%m}", frozenset({3, 4, 5, 8, 9}))
    facts = [
        ("Tenant", found.terms.legal_name), ("Month", f"{found.terms.period:%Y-%m} ({found.terms.time_zone})"),
        ("Status", found.status), ("Due", f"{found.totals.due:f} {found.terms.currency}"),
        ("Collection", found.terms.collection), ("Review", found.reviewed_by or ""),
        ("Approved by", found.approved_by or ""), ("Content hash", found.content_hash),
    ]  # fmt: skip
    step = NEXT.get(found.status)
    steps = [(f"/finance/statements/{found.id}/{step[0]}", visit.say(step[1]))] if step and visit.may(step[2]) else []
    shown = [(visit.say(name), value) for name, value in facts]
    collected = found.status in ("pushed", "closed") and found.terms.collection == "stripe"
    forms = invoice_forms(visit, found.id) if collected and visit.may(REQUEST) else []
    return table_page(visit, "Statement", table, facts=shown, steps=steps, forms=forms)


def line(visit: Visit, statement_id: str, ordinal: str) -> HttpResponse:
    """The entries, the price version and the formula: what the amount is made of."""
    found = statement_of(UUID(statement_id))
    if int(ordinal) >= len(found.lines):
        raise Refusal(404, "This statement has no such line. Go back to the statement and choose one.")
    one = found.lines[int(ordinal)]
    if is_file(visit) and one.entries > MOST:
        raise Refusal(422, "More than 100,000 entries. Take the statement's export from the API: it streams them all.")
    entries = entries_page(found, line=one, limit=MOST if is_file(visit) else MAX_ENTRIES)
    rows = [
        (
            entry.occurred_at, Link(str(entry.subject_id), f"/finance/ledger?month={found.terms.period:%Y-%m}"
            f"&job={entry.subject_id}"), entry.kind, entry.raw_quantity, entry.billable_quantity, entry.unit_price,
            entry.unit_size, entry.amount, entry.currency,
        )
        for entry in entries
    ]  # fmt: skip
    raw, billable = sum(entry.raw_quantity for entry in entries), sum(entry.billable_quantity for entry in entries)
    total = (visit.say("Total"), "", "", raw, billable, "", "", sum(entry.amount for entry in entries), "")
    head = ("Occurred", "Job", "Kind", "Raw", "Billable", "Unit price", "Per", "Amount", "Currency")
    facts = [
        (visit.say("Text"), one.description), (visit.say("Formula"), one.formula),
        (visit.say("Amount"), f"{one.amount:f} {found.terms.currency}"),
        (visit.say("Price book"), str(one.book_version or "")),
    ]  # fmt: skip
    is_cut = len(entries) < one.entries and len(entries) == MAX_ENTRIES
    told = visit.say("Only the first of these entries are shown, and summed up. CSV and XLSX hold all of them:")
    note = f"{told} {len(entries)} / {one.entries}" if is_cut else ""
    numbers = frozenset({3, 4, 5, 6, 7})
    table = Table(head, rows, total, "", f"line-{int(ordinal) + 1}", numbers, whole=not is_cut)
    return table_page(visit, "Entries behind a line", table, facts=facts, note=note)

"""Price books: what is in force, drafts by one person and approved by another."""

from __future__ import annotations

from decimal import Decimal

from django.http import HttpResponse

from billing.facade import BookRow, approve_book, book_rows, draft_book, price_rows, what_if
from console.finance.asking import month_of, names, require
from console.finance.forms import Field, Form
from console.finance.handling import Refusal, Visit, back, table_page
from console.finance.roles import PRICE
from console.finance.tables import Link, Table, text_of

HEAD = ("Engine", "Model", "Mode", "Feature", "Meter", "Unit price", "Per", "Included", "Tier")


def books(visit: Visit) -> HttpResponse:
    rows = [
        (
            Link(str(one.version), f"/finance/prices/{one.version}"), one.kind, one.currency, one.plan or one.tenant or
            visit.say("Currency list"), one.effective_from, one.status, one.created_by, one.approved_by, one.note,
        )
        for one in book_rows()
    ]  # fmt: skip
    filters = {"kind": 1, "currency": 2, "tenant": 3, "status": 5}
    head = ("Version", "Kind", "Currency", "Tenant", "Effective from", "Status", "Created by", "Approved by", "Text")
    return table_page(visit, "Price book", Table(head, rows, name="price-books", filters=filters))


def book(visit: Visit, version: str) -> HttpResponse:
    found = _found(int(version))
    rows = [tuple(one) for one in price_rows(found.version)]
    facts = [
        (visit.say("Status"), found.status), (visit.say("Currency"), found.currency),
        (visit.say("Effective from"), text_of(found.effective_from)), (visit.say("Created by"), found.created_by),
        (visit.say("Approved by"), found.approved_by or ""),
    ]  # fmt: skip
    steps = []
    if visit.may(PRICE) and found.status == "draft" and found.created_by != visit.actor:
        steps = [(f"/finance/prices/{version}/approve", visit.say("Approve"))]
    form = Form(
        visit.say("New version from this"), f"/finance/prices/{version}/draft", (
            Field("effective_from", visit.say("Effective from"), example="2027-01-01T00:00:00Z"),
            Field("prices", visit.say("New prices"), "lines", "simulated batch audio_ms 0.006", required=False),
            Field("note", visit.say("Text"), required=False, most=200),
        ), visit.say("Draft"),
    )  # fmt: skip
    comparing = f"/finance/prices/{version}/what-if" if found.kind == "price" else ""
    table = Table(HEAD, rows, name=f"price-book-{version}", numbers=frozenset({5, 6, 7}))
    return table_page(visit, "Prices", table, facts=facts, steps=steps, comparing=comparing,
                      forms=[form] if visit.may(PRICE) else [])  # fmt: skip


def compare(visit: Visit, version: str) -> HttpResponse:
    """What every tenant's month would have cost by this book, also while it is a draft."""
    found, month, known = _found(int(version)), month_of(visit), names()
    if found.kind != "price":
        raise Refusal(404, "There is no such page.")
    compared = what_if(found.version, period=month)
    rows = [
        (known.get(one.tenant_id, str(one.tenant_id)), one.currency, one.was, one.would_be, one.would_be - one.was)
        for one in compared
    ]
    was, would_be = sum(one.was for one in compared), sum(one.would_be for one in compared)
    total = (visit.say("Total"), found.currency, was, would_be, would_be - was)
    facts = [(visit.say("Version"), version), (visit.say("Status"), found.status)]
    head = ("Tenant", "Currency", "Was", "Would be", "Difference")
    table = Table(head, rows, total if rows else (), "", f"what-if-{version}-{month:%Y-%m}", frozenset({2, 3, 4}))
    return table_page(visit, "What if", table, month=f"{month:%Y-%m}", facts=facts)


def step(visit: Visit, version: str, step: str) -> HttpResponse:
    require(visit, PRICE)
    if step == "approve":
        approve_book(int(version), actor=visit.actor)
        return back(f"/finance/prices/{version}")
    found, form = _found(int(version)), visit.request.POST
    changes = _changes(form.get("prices", ""))
    shapes = [
        {
            "engine": engine, "model": model, "mode": mode, "feature": feature, "meter": meter,
            "unit_price": changes.pop((engine, mode, meter), text_of(price)), "unit_size": size, "included": included,
        }
        for engine, model, mode, feature, meter, price, size, included, _ in price_rows(found.version)
    ]  # fmt: skip
    if changes:
        raise Refusal(422, f"The book has no price for {', '.join(map(' '.join, changes))}.")
    made = draft_book(
        {"currency": found.currency, "kind": found.kind, "effective_from": form.get("effective_from", ""),
         "plan": found.plan, "prices": shapes, "note": form.get("note", "")[:200]},
        actor=visit.actor,
    )  # fmt: skip
    return back(f"/finance/prices/{made}")


def _found(version: int) -> BookRow:
    found = next((one for one in book_rows() if one.version == version), None)
    if found is None:
        raise Refusal(404, "There is no such page.")
    return found


def _changes(raw: str) -> dict[tuple[str, str, str], str]:
    """Lines of `engine mode meter price`; the rest stays as it is."""
    found = {}
    for line in filter(None, (line.split() for line in raw.splitlines())):
        if len(line) != 4 or not line[3].replace(".", "", 1).isdigit() or Decimal(line[3]) < 0:
            raise Refusal(422, "Write each new price as: engine mode meter price, such as whisper batch audio_ms 0.006")
        found[(line[0], line[1], line[2])] = line[3]
    return found

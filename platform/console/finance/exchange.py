"""Exchange rates for margins: tables with a first day, drafted by one person and approved by another."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation

from django.http import HttpResponse

from billing.facade import approve_rates, draft_rates, rate_rows
from console.finance.asking import require
from console.finance.forms import Field, Form
from console.finance.handling import Refusal, Visit, back, table_page
from console.finance.roles import PRICE
from console.finance.tables import Table

DECIMALS = 12  # of a rate, as it is stored
HEAD = ("Version", "Effective from", "Currency", "Into", "Exchange rate", "Source", "Status", "Created by",
        "Approved by")  # fmt: skip


def rates(visit: Visit) -> HttpResponse:
    if visit.request.method == "POST":
        return _draft(visit)
    found = rate_rows()
    rows = [
        (
            one.version, one.effective_from, one.currency, one.into, one.rate, one.source,
            "approved" if one.approved_by else "draft", one.created_by, one.approved_by,
        )
        for one in found
    ]  # fmt: skip
    open_versions = sorted({one.version for one in found if not one.approved_by and one.created_by != visit.actor})
    steps = [
        (f"/finance/rates/{version}/approve", f"{visit.say('Approve')}: {visit.say('Version')} {version}")
        for version in (open_versions if visit.may(PRICE) else ())
    ]
    table = Table(HEAD, rows, name="exchange-rates", numbers=frozenset({0, 4}), filters={"currency": 2, "into": 3})
    form = Form(
        visit.say("New exchange rates"), "/finance/rates", (
            Field("effective_from", visit.say("Effective from"), example="2027-01-01"),
            Field("rates", visit.say("Exchange rates"), "lines", "USD KRW 1395.5"),
            Field("source", visit.say("Source"), most=200),
        ), visit.say("Draft"),
    )  # fmt: skip
    return table_page(visit, "Exchange rates", table, steps=steps, forms=[form] if visit.may(PRICE) else [])


def approve(visit: Visit, version: str) -> HttpResponse:
    require(visit, PRICE)
    if all(one.version != int(version) for one in rate_rows()):
        raise Refusal(404, "There is no such page.")
    approve_rates(int(version), actor=visit.actor)
    return back("/finance/rates")


def _draft(visit: Visit) -> HttpResponse:
    require(visit, PRICE)
    form = visit.request.POST
    source = form.get("source", "").strip()[:200]
    try:
        first = date.fromisoformat(form.get("effective_from", ""))
    except ValueError:
        raise Refusal(422, "Write the first day like 2027-01-01.") from None
    if not source:
        raise Refusal(422, "Say where the rates come from.")
    draft_rates(_rates(form.get("rates", "")), effective_from=first, source=source, actor=visit.actor)
    return back("/finance/rates")


def _rates(raw: str) -> dict[tuple[str, str], Decimal]:
    """Lines of `currency into rate`; at least one, none twice."""
    wrong = Refusal(422, "Write each rate once, as: USD KRW 1395.5 (one dollar is so many won).")
    found: dict[tuple[str, str], Decimal] = {}
    for words in filter(None, (line.upper().split() for line in raw.splitlines())):
        if len(words) != 3 or words[0] == words[1] or (words[0], words[1]) in found:
            raise wrong
        found[(words[0], words[1])] = _rate(words[2], wrong)
    if not found:
        raise wrong
    return found


def _rate(raw: str, wrong: Refusal) -> Decimal:
    try:
        rate = Decimal(raw)
    except InvalidOperation:
        raise wrong from None
    exact = rate.as_tuple().exponent
    if not isinstance(exact, int) or rate <= 0 or rate.adjusted() > 20 or -exact > DECIMALS:
        raise wrong
    return rate

"""A month's way to its end: what blocks it, and the steps, each by the role that may take it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from django.http import HttpResponse

from billing.facade import (
    MonthFacts,
    Statement,
    approve_statement,
    close_period,
    close_statement,
    list_statements,
    month_facts,
    rate_month,
    review_statement,
)
from billing.stripe.facade import push_statement
from console.finance.asking import month_of, require
from console.finance.handling import Visit, back, table_page
from console.finance.roles import APPROVE, CLOSE

# What follows a status: the step, its word, and who may take it.
NEXT: Final = {
    "rated": ("review", "Review", CLOSE), "reviewed": ("approve", "Approve", APPROVE),
    "approved": ("push", "Push", CLOSE), "pushed": ("close", "Close", APPROVE),
}  # fmt: skip
_STEPS: Final = {
    "review": review_statement, "approve": approve_statement, "push": push_statement, "close": close_statement,
}  # fmt: skip
_RIGHTS: Final = {step: right for step, _, right in NEXT.values()}


def board(visit: Visit) -> HttpResponse:
    from console.finance.statements import board_table

    month = month_of(visit)
    found = list_statements(period=month)
    facts = month_facts(month)
    blockers = _blockers(visit, month, found, facts)
    steps = []
    if visit.may(CLOSE):
        steps = [(f"/finance/close/close?month={month:%Y-%m}", visit.say("Close the month"))]
        if facts.closed:
            steps = [(f"/finance/close/rate?month={month:%Y-%m}", visit.say("Rate"))]
    shown = [(visit.say("What blocks it"), "; ".join(blockers) or visit.say("Nothing blocks it."))]
    if facts.closed:
        shown.append((visit.say("Content hash"), facts.content_hash))
    table = board_table(found, name=f"close-{month:%Y-%m}")
    return table_page(visit, "Close board", table, month=f"{month:%Y-%m}", facts=shown, steps=steps)


def month_step(visit: Visit, step: str) -> HttpResponse:
    require(visit, CLOSE)
    month = month_of(visit)
    if step == "close":
        close_period(month, actor=visit.actor)
    else:
        rate_month(month)
    return back(f"/finance/close?month={month:%Y-%m}")


def step(visit: Visit, statement_id: str, step: str) -> HttpResponse:
    require(visit, _RIGHTS[step])
    _STEPS[step](UUID(statement_id), actor=visit.actor)
    return back(f"/finance/statements/{statement_id}")


def _blockers(visit: Visit, month: date, found: list[Statement], facts: MonthFacts) -> list[str]:
    waiting = {
        "not reviewed": sum(one.status == "rated" for one in found),
        "not approved": sum(one.status == "reviewed" for one in found),
        "not pushed": sum(one.status == "approved" for one in found),
        "jobs hold money": facts.holds, "adjustments wait for an answer": facts.adjustments,
    }  # fmt: skip
    told = [f"{number} {visit.say(text)}" for text, number in waiting.items() if number]
    if month >= datetime.now(UTC).date().replace(day=1):
        told.insert(0, visit.say("The month is not over yet."))
    elif not facts.closed:
        told.insert(0, visit.say("usage not yet complete"))
    return told

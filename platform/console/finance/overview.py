"""The first page: margin per engine and usage per day, drawn and in numbers."""

from __future__ import annotations

from django.http import HttpResponse

from billing.facade import margins, shown_amount, usage_by_day
from console.finance.asking import month_of
from console.finance.charts import bars
from console.finance.handling import Visit, table_page
from console.finance.tables import Table


def overview(visit: Visit) -> HttpResponse:
    month = month_of(visit)
    currency = visit.request.GET.get("currency", "USD").upper()[:3]
    found = margins(month, currency=currency)
    rows = [
        (
            one.engine, sum(part.converted for part in one.revenue), sum(part.converted for part in one.cost),
            one.margin, one.currency, ", ".join(one.missing),
        )
        for one in found
    ]  # fmt: skip
    total = (
        visit.say("Total"), sum(row[1] for row in rows), sum(row[2] for row in rows), sum(row[3] for row in rows),
        currency, "",
    ) if rows else ()  # fmt: skip
    margin = bars(
        [(one.engine, one.margin, f"{shown_amount(one.margin)} {currency}") for one in found], title=visit.say("Margin")
    )
    days = usage_by_day(month, currency=currency)
    usage = bars(
        [(f"{day:%m-%d}", amount, f"{shown_amount(amount)} {currency}") for day, amount in days],
        title=visit.say("Usage"),
    )
    head = ("Engine", "Revenue", "Cost", "Margin", "Currency", "Error")
    table = Table(head, rows, total, "", f"margin-{month:%Y-%m}", frozenset({1, 2, 3}))
    charts = [(visit.say("Margin"), margin), (visit.say("Usage"), usage)]
    return table_page(
        visit, "Margin and usage", table, month=f"{month:%Y-%m}", filters={"currency": currency}, charts=charts
    )

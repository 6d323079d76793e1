"""Bars as SVG, drawn here: no script, nothing from elsewhere, and the numbers stand beside them as a table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape

WIDTH, BAR, GAP, LABEL = 720, 18, 8, 190


def bars(rows: Sequence[tuple[str, Decimal, str]], *, title: str) -> str:
    """Horizontal bars: (label, amount, shown amount); below zero they are marked.

    >>> bars([("a", Decimal(1), "1 USD")], title="t").count("<rect")
    1
    """
    longest = max((abs(amount) for _, amount, _ in rows), default=Decimal(0)) or Decimal(1)
    height = len(rows) * (BAR + GAP) + GAP
    drawn = "".join(_bar(place, row, longest) for place, row in enumerate(rows))
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}" class="chart">{drawn}</svg>'


def _bar(place: int, row: tuple[str, Decimal, str], longest: Decimal) -> str:
    label, amount, shown = row
    y = GAP + place * (BAR + GAP)
    width = int((WIDTH - LABEL - 150) * abs(amount) / longest)
    kind = "loss" if amount < 0 else "gain"
    return (
        f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(label[:28])}</text>'
        f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{max(width, 1)}" height="{BAR}"/>'
        f'<text x="{LABEL + width + 6}" y="{y + 13}">{escape(shown)}</text>'
    )

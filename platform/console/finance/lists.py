"""What happens to a list before it is looked at: narrowed, sorted, summed up, cut into pages. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from console.finance.tables import Cell, Table, text_of

PAGE = 200  # rows


def arranged(table: Table, asked: Mapping[str, str], *, total: str) -> Table:
    """As a page's address asks for it: only the rows that hold the words, in that order, with their sums."""
    return _summed(_sorted(_narrowed(table, asked), asked.get("sort", "")), total)


def page_of(table: Table, offset: int) -> Table:
    """The rows from `offset` on, as many as a page holds.

    >>> page_of(Table(["a"], [[1]] * 201), 200).rows
    [[1]]
    """
    return replace(table, rows=table.rows[offset : offset + PAGE]) if len(table.rows) > PAGE else table


def _narrowed(table: Table, asked: Mapping[str, str]) -> Table:
    """
    >>> two = Table(["who"], [["Ann"], ["Ben"]], filters={"who": 0})
    >>> _narrowed(two, {"who": "be"}).rows
    [['Ben']]
    """
    wanted = [(place, asked.get(name, "").strip().casefold()) for name, place in table.filters.items()]
    rows = [row for row in table.rows if all(text in text_of(row[place]).casefold() for place, text in wanted)]
    return replace(table, rows=rows)


def _sorted(table: Table, order: str) -> Table:
    """By the column of that number, from the largest down after a minus; as it is where there is no such column.

    >>> [row[0] for row in _sorted(Table(["a"], [["b"], [None], ["A"]]), "-0").rows]
    ['b', 'A', None]
    """
    place = order.removeprefix("-")
    if not table.whole or not (place.isascii() and place.isdigit()) or int(place) >= len(table.head):
        return table
    rows = sorted(table.rows, key=lambda row: _order(row[int(place)]), reverse=order.startswith("-"))
    return replace(table, rows=rows)


def _order(cell: Cell) -> tuple[int, Decimal, str]:
    """Nothing first, then numbers, then texts and times."""
    if isinstance(cell, int | Decimal):
        return 1, Decimal(cell), ""
    text = cell.isoformat() if isinstance(cell, date) else text_of(cell).casefold()
    return (2 if text else 0), Decimal(0), text


def _summed(table: Table, total: str) -> Table:
    """Nothing is added across currencies: no totals where the rows have several.

    >>> two = Table(["who", "", "due"], [["a", "USD", Decimal(1)], ["b", "USD", None]], sums={2}, currency=1)
    >>> _summed(two, "Total").totals
    ['Total', 'USD', Decimal('1')]
    """
    if table.currency is None or len(currencies := {row[table.currency] for row in table.rows}) != 1:
        return table
    totals: list[Cell] = [total, *[""] * (len(table.head) - 1)]
    totals[table.currency] = currencies.pop()
    for place in table.sums:
        totals[place] = _sum([row[place] for row in table.rows])
    return replace(table, totals=totals)


def _sum(cells: Sequence[Cell]) -> Cell:
    return sum((one for one in cells if isinstance(one, int | Decimal)), Decimal(0))

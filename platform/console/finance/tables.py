"""A table, the same whether it is looked at, opened as CSV, or as a workbook: one value, three shapes. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

BOM = "\ufeff"  # without it Excel takes UTF-8 for the system's code page
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")
MAX_EXACT_DIGITS = 15  # of a workbook's number; a longer one is written as text


@dataclass(frozen=True, slots=True)
class Link:
    """Text that leads on; `post` is a step that is taken, not a page."""

    text: str
    href: str


Cell = str | int | Decimal | date | None | Link


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; `totals` is the last row, of all rows of the list, also where a page shows some of them."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    totals: Sequence[Cell] = ()
    more: str = ""  # where the next page begins
    name: str = "table"
    numbers: frozenset[int] = field(default=frozenset())  # columns that stand on the right
    whole: bool = True  # not a page of a longer list: only such a table can be sorted by what is in it
    filters: Mapping[str, int] = field(default_factory=dict)  # a name in the page's address, and its column
    currency: int | None = None  # the column that says in what `sums` are
    sums: Set[int] = field(default=frozenset())  # columns that are added up where all rows are of one currency


def text_of(cell: Cell) -> str:
    """What is shown of a cell.

    >>> [text_of(one) for one in (Decimal("12.000000000"), Decimal("0E-9"), 5, None, Link("a", "/b"))]
    ['12', '0', '5', '', 'a']
    """
    if isinstance(cell, Decimal):
        text = f"{cell:f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text) if cell else "0"
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    return "" if cell is None else cell.text if isinstance(cell, Link) else str(cell)


def as_csv(table: Table) -> bytes:
    """RFC 4180, UTF-8 with a byte order mark; no text that a spreadsheet would run.

    >>> as_csv(Table(["a", "b"], [["=1+1", Decimal("-5")]])).decode("utf-8-sig").splitlines()
    ['a,b', "'=1+1,-5"]
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([_harmless(cell) for cell in row] for row in _all_rows(table))
    return (BOM + out.getvalue()).encode()


def as_xlsx(table: Table) -> bytes:
    """A workbook whose numbers are numbers and whose texts are only texts."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet(table.name[:31])
    for row in _all_rows(table):
        cells = []
        for cell in row:
            made = WriteOnlyCell(sheet, value=_value(cell))  # type: ignore[arg-type]  # it takes Decimal as well
            if isinstance(made.value, str):
                made.data_type = "s"  # else a leading = makes it a formula
            cells.append(made)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _all_rows(table: Table) -> list[Sequence[Cell]]:
    return [list(table.head), *table.rows, *([table.totals] if table.totals else [])]


def _harmless(cell: Cell) -> str:
    shown = text_of(cell)
    return f"'{shown}" if not isinstance(cell, int | Decimal) and shown.startswith(_RUNS) else shown


def _value(cell: Cell) -> str | int | Decimal:
    if isinstance(cell, int | Decimal) and len(text_of(cell).strip("-").replace(".", "")) <= MAX_EXACT_DIGITS:
        return cell
    return _harmless(cell)

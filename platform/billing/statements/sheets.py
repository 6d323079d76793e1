"""A statement as CSV: RFC 4180, UTF-8 with a byte order mark, and no cell that a spreadsheet would run. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from billing.rating import shown
from billing.statements.contracts import Statement

BOM = "\ufeff"  # without it Excel takes UTF-8 for the system's code page
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")
HEAD = (
    "period", "kind", "description", "meter", "engine", "model", "mode", "feature", "price_book", "origin_period",
    "quantity", "unit_price", "unit_size", "tier", "formula", "entries", "amount", "currency",
)  # fmt: skip


def statement_csv(statement: Statement) -> str:
    """Every line and the total."""
    terms = statement.terms
    rows: list[Sequence[object]] = [
        (
            f"{terms.period:%Y-%m}", line.kind, line.description, line.meter, line.engine, line.model, line.mode,
            line.feature, line.book_version, line.origin_period, line.quantity,
            None if line.unit_price is None else shown(line.unit_price), line.unit_size, line.tier, line.formula,
            line.entries, shown(line.amount), terms.currency,
        )
        for line in statement.lines
    ]  # fmt: skip
    total = shown(statement.totals.total)
    rows.append((f"{terms.period:%Y-%m}", "total", terms.legal_name, *[""] * 13, total, terms.currency))
    return as_csv(HEAD, rows)


def as_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The table as text.

    >>> as_csv(["a", "b"], [["=1+1", -5], ["a,b", None]]).splitlines()[1:]
    ["'=1+1,-5", '"a,b",']
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return BOM + out.getvalue()


def _cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula begins with an apostrophe; numbers stay what they are."""
    if not isinstance(value, str) or not value.startswith(_RUNS) or _is_number(value):
        return value
    return f"'{value}"


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()

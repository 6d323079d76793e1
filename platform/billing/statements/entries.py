"""The ledger's entries behind a statement and behind each of its lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connections

from billing import months
from billing.statements.contracts import Line, Statement

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as a customer may check it."""

    subject_created_at: datetime
    subject_id: UUID
    meter: str
    kind: str
    sequence: int
    occurred_at: datetime
    engine: str
    model: str
    mode: str
    feature: str
    raw_quantity: int
    billable_quantity: int
    unit_price: Decimal
    unit_size: int
    amount: Decimal
    currency: str
    book_version: int
    origin_period: Any
    on_wallet: bool


Cursor = tuple[datetime, UUID, str, str, int]
_FIELDS = tuple(Entry.__dataclass_fields__)
_KEY = "occurred_at, subject_id, meter, kind, sequence"
# In the order of the tenant's index, so that a page begins where the one before ended.
_PAGE = f"""SELECT {", ".join(_FIELDS)} FROM public.usage_entry
 WHERE tenant_id = %(tenant_id)s AND livemode AND period = %(period)s AND kind <> 'cost'
   AND occurred_at >= %(since)s AND occurred_at < %(until)s {{line}}
   AND (%(after)s::timestamptz IS NULL OR ({_KEY}) > (%(after)s, %(after_id)s, %(after_meter)s, %(after_kind)s,
     %(after_sequence)s))
 ORDER BY {_KEY} LIMIT %(limit)s"""  # noqa: S608  # constants only
_OF_LINE = """AND meter = %(meter)s AND engine = %(engine)s AND model = %(model)s AND mode = %(mode)s
   AND feature = %(feature)s AND book_version = %(book_version)s AND unit_price = %(ledger_price)s
   AND origin_period = %(origin_period)s AND (%(subject_id)s::uuid IS NULL OR subject_id = %(subject_id)s)
   AND (kind = 'adjust' OR kind = 'reversal' AND billable_quantity = 0) = %(adjusted)s"""


def entries_page(
    statement: Statement,
    *,
    line: Line | None = None,
    after: Cursor | None = None,
    limit: int = PAGE,
    using: str = "system",
) -> list[Entry]:
    """Entries by time, of the whole statement or behind one line; none behind minimum and tax."""
    if line is not None and line.ledger_price is None:
        return []
    start = dict(
        zip(("after", "after_id", "after_meter", "after_kind", "after_sequence"), after or [None] * 5, strict=True)
    )
    values: dict[str, Any] = {
        "tenant_id": statement.terms.tenant_id, "period": statement.terms.period, "limit": limit, **start,
        "since": after[0] if after else _since(statement, line), "until": statement.terms.ends_at,
    }  # fmt: skip
    if line is not None:
        values |= {name: getattr(line, name) for name in _LINE}
        values["adjusted"] = line.kind == "adjust"
    with connections[using].cursor() as cursor:
        cursor.execute(_PAGE.format(line=_OF_LINE if line is not None else ""), values)
        return [Entry(*row) for row in cursor.fetchall()]


def all_entries(statement: Statement, *, using: str = "system") -> Iterator[Entry]:
    """Every entry of the statement, page by page."""
    after: Cursor | None = None
    while True:
        page = entries_page(statement, after=after, using=using)
        yield from page
        if len(page) < PAGE:
            return
        after = cursor_of(page[-1])


def cursor_of(entry: Entry) -> Cursor:
    """Where the page after this entry begins."""
    return entry.occurred_at, entry.subject_id, entry.meter, entry.kind, entry.sequence


_LINE = (
    "meter", "engine", "model", "mode", "feature", "book_version", "ledger_price", "origin_period", "subject_id",
)  # fmt: skip


def _since(statement: Statement, line: Line | None) -> datetime:
    """The first moment of the earliest month that entries of the statement, or of the line, are of."""
    lines = statement.lines if line is None else (line,)
    months_of = [one.origin_period for one in lines if one.origin_period] or [statement.terms.period]
    return months.bounds(min(months_of), statement.terms.time_zone)[0]

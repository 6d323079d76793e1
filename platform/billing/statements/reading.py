"""Statements as values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from uuid import UUID

from django.db.models import Prefetch

from billing.models import Statement as Row
from billing.models import StatementLine
from billing.statements.contracts import Line, Statement, Terms, Totals

PAGE = 500
LINE_COLUMNS = tuple(Line.__dataclass_fields__)
_SHARED = (
    "tenant_id", "period", "currency", "time_zone", "starts_at", "ends_at", "legal_name", "address",
    "registration_number", "tax_name", "tax_percent",
)  # fmt: skip


def statement_of(statement_id: UUID, *, using: str = "system") -> Statement:
    """One statement with its lines; LookupError when there is none."""
    row = Row.objects.using(using).filter(pk=statement_id).first()
    if row is None:
        raise LookupError(f"there is no statement {statement_id}")
    lines = StatementLine.objects.using(using).filter(statement_id=statement_id).order_by("ordinal")
    return shown(row, lines)


def list_statements(
    *, period: date | None = None, tenant_id: UUID | None = None, status: str | None = None,
    statuses: Sequence[str] | None = None, before: UUID | None = None, limit: int = 1_000, using: str = "system",
) -> list[Statement]:  # fmt: skip
    """Statements without their lines, the newest first, from before an id on."""
    wanted = {"period": period, "tenant_id": tenant_id, "status": status, "status__in": statuses, "id__lt": before}
    rows = Row.objects.using(using).filter(**{name: value for name, value in wanted.items() if value is not None})
    return [shown(row, ()) for row in rows.order_by("-id")[:limit]]


def rated_statements(*, using: str, period: date | None = None) -> Iterator[Statement]:
    """Every statement that is no draft any more, with its lines; of one month, or of all."""
    lines = Prefetch("lines", StatementLine.objects.using(using).order_by("ordinal"))
    rows = Row.objects.using(using).exclude(status=Row.Status.DRAFT).order_by("id").prefetch_related(lines)
    if period is not None:
        rows = rows.filter(period=period)
    for row in rows.iterator(chunk_size=PAGE):
        yield shown(row, row.lines.all())


def shown(row: Row, lines: Iterable[StatementLine]) -> Statement:
    """The row and its lines as a value."""
    return Statement(
        row.id, row.status, Terms(**{name: getattr(row, name) for name in _SHARED}, collection=row.collection),
        Totals(row.subtotal, row.tax, row.total, row.from_wallet, row.due),
        tuple(Line(**{name: getattr(line, name) for name in LINE_COLUMNS}) for line in lines), row.entries,
        row.content_hash, row.drafted_at, row.rated_at, row.reviewed_by, row.approved_by, row.closed_at,
    )  # fmt: skip

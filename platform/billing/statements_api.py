"""`/v1/statements`, `/v1/spend`, `/v1/limits`: a tenant reads its bill, computes it again, sees what it may spend."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from apikit import ids
from apikit.facade import FieldError, Problem, ProblemOut, decode_cursor, page
from apikit.front import STREAM_HEADER
from billing.budgets import limits_of
from billing.rating import shown, total
from billing.schemas import (
    EntriesQuery,
    ExportQuery,
    LimitsOut,
    ListQuery,
    SpendOut,
    StatementEntriesOut,
    StatementOut,
    StatementsOut,
)
from billing.spend import Spend, spend_of
from billing.statements.canonical import line_shape
from billing.statements.contracts import Line, Statement
from billing.statements.entries import Cursor, cursor_of, entries_page
from billing.statements.export import entry_shape, header
from billing.statements.paper import statement_pdf
from billing.statements.reading import list_statements
from billing.statements.sheets import statement_csv
from billing.statements.stream import KIND, SHOWN, own_statement
from tenants.facade import Caller, RateNow, caller_with, places_of, rates_now, tenant_context

router = Router(tags=["statements"])
_FILES = {
    "responses": {
        200: {
            "description": "The file.",
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
                "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    }
}
FILES = {"csv": statement_csv, "pdf": statement_pdf}  # lines alone; JSON lines have the entries, so they are streamed
MEDIA = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


@router.get("/statements", response=StatementsOut, operation_id="list_statements")
def list_own_statements(request: HttpRequest, wanted: Query[ListQuery]) -> dict[str, Any]:
    """Statements that finance has approved, the newest first. A test key has none: its jobs bill nothing."""
    caller = caller_with(request, "usage:read")
    before = decode_cursor(wanted.cursor) if wanted.cursor else None
    with tenant_context(caller.tenant):
        rows = _visible(caller, before=before, limit=wanted.limit + 1)
    return page(rows, limit=wanted.limit, id_of=lambda row: row.id, shown=_statement)


@router.get("/statements/{statement_id}", response=StatementOut, operation_id="get_statement")
def get_own_statement(request: HttpRequest, statement_id: str) -> dict[str, Any]:
    """One statement with every line; `formula` says how an amount came about."""
    caller = caller_with(request, "usage:read")
    with tenant_context(caller.tenant):
        found = _find(caller, statement_id)
    return {**_statement(found), "lines": [_line(number, line) for number, line in enumerate(found.lines)]}


@router.get("/statements/{statement_id}/entries", response=StatementEntriesOut, operation_id="list_statement_entries")
def list_entries(request: HttpRequest, statement_id: str, wanted: Query[EntriesQuery]) -> dict[str, Any]:
    """The ledger's entries behind the statement, or with `line` behind one of its lines, by time."""
    caller = caller_with(request, "usage:read")
    with tenant_context(caller.tenant):
        found = _find(caller, statement_id)
        line = _wanted_line(found, wanted.line)
        rows = entries_page(
            found, line=line, after=_after(wanted.cursor), limit=wanted.limit + 1, using=DEFAULT_DB_ALIAS
        )
    kept = rows[: wanted.limit]
    more = len(rows) > wanted.limit
    return {
        "object": "list", "data": [{"object": "statement_entry", **entry_shape(entry)} for entry in kept],
        "has_more": more, "next_cursor": _cursor(cursor_of(kept[-1])) if more else None,
    }  # fmt: skip


@router.get(
    "/statements/{statement_id}/export",
    response={429: ProblemOut},
    operation_id="export_statement",
    openapi_extra=_FILES,
)
def export_own_statement(request: HttpRequest, statement_id: str, wanted: Query[ExportQuery]) -> HttpResponse:
    """The statement as JSON lines with prices and every entry (to compute it again), as CSV, or as PDF.

    JSON lines come piece by piece and without a length: the first one's `entries` says how many entries follow.
    """
    caller = caller_with(request, "usage:read")
    with tenant_context(caller.tenant):
        found = _find(caller, statement_id)
    name = f"statement-{found.terms.period:%Y-%m}.{wanted.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if wanted.format == "jsonl":
        headers[STREAM_HEADER.decode()] = f"{KIND}:{found.id}"
    content = FILES[wanted.format](found) if wanted.format in FILES else b""
    return HttpResponse(content, content_type=MEDIA[wanted.format], headers=headers)


@router.get("/spend", response=SpendOut, operation_id="get_spend")
def get_spend(request: HttpRequest) -> dict[str, Any]:
    """What this month costs so far by the statement's own rules, and a forecast at the month's own rate."""
    caller = caller_with(request, "usage:read")
    with tenant_context(caller.tenant):
        return _spend(spend_of(caller.tenant_id))


@router.get("/limits", response=LimitsOut, operation_id="get_limits")
def get_limits(request: HttpRequest) -> dict[str, Any]:
    """The wallet and the budgets that this key's jobs must fit into (null without a wallet: paid by statement), and
    the rates that its requests must fit into. The request itself counts as one."""
    caller = caller_with(request, "usage:read")
    with tenant_context(caller.tenant):
        found = limits_of(caller.tenant_id, key_id=caller.key_id)
    return {
        "object": "limits", "currency": caller.currency, "wallet": _wallet(found["wallet"]),
        "budgets": [_budget(row) for row in found["budgets"]], "rates": [_rate(one) for one in rates_now(caller)],
        "concurrency": [_concurrency(one.name, one.limit) for one in places_of(caller)],
    }  # fmt: skip


def _visible(caller: Caller, *, before: UUID | None, limit: int) -> list[Statement]:
    if not caller.livemode:
        return []
    return list_statements(
        tenant_id=caller.tenant_id, statuses=SHOWN, before=before, limit=limit, using=DEFAULT_DB_ALIAS
    )


def _find(caller: Caller, shown_id: str) -> Statement:
    return own_statement(caller, ids.parse(ids.STATEMENT, shown_id))


def _wanted_line(found: Statement, ordinal: int | None) -> Line | None:
    if ordinal is None:
        return None
    if not 0 <= ordinal < len(found.lines):
        raise _refused("line", f"Use 0 to {len(found.lines) - 1}.")
    return found.lines[ordinal]


def _statement(found: Statement) -> dict[str, Any]:
    head = header(found)
    del head["minimum"], head["tenant_id"]
    return {"object": "statement", "livemode": True, **head}


def _line(number: int, line: Line) -> dict[str, Any]:
    return {"object": "statement_line", "ordinal": number, **line_shape(line)}


def _spend(found: Spend) -> dict[str, Any]:
    return {
        "object": "spend", "period": f"{found.period:%Y-%m}", "currency": found.currency, "time_zone": found.time_zone,
        "amount": shown(found.totals.subtotal), "forecast": shown(found.forecast),
        "lines": [_line(number, line) for number, line in enumerate(found.lines)],
    }  # fmt: skip


def _wallet(wallet: Any) -> dict[str, Any] | None:
    if wallet is None:
        return None
    left = total((wallet.balance, wallet.credit_limit, wallet.held.copy_negate()))
    return {
        "currency": wallet.currency, "balance": shown(wallet.balance), "held": shown(wallet.held),
        "credit_limit": shown(wallet.credit_limit), "spendable": shown(left),
    }  # fmt: skip


def _budget(row: dict[str, Any]) -> dict[str, Any]:
    left = total((row["amount"], row["spent"].copy_negate(), row["held"].copy_negate()))
    key = ids.show(ids.API_KEY, row["api_key_id"]) if row["api_key_id"] else None
    return {
        "name": row["name"], "api_key_id": key, "hard": row["hard"], "amount": shown(row["amount"]),
        "spent": shown(row["spent"]), "held": shown(row["held"]), "left": shown(left),
    }  # fmt: skip


def _rate(one: RateNow) -> dict[str, Any]:
    return {
        "name": one.name, "meter": one.meter, "shared_by": "api_key" if one.own else "tenant", "quota": one.quota,
        "period_s": one.period_s, "left": one.left, "full_again_s": one.full_again_s,
    }  # fmt: skip


def _concurrency(name: str, limit: int) -> dict[str, Any]:
    return {"name": name, "shared_by": "api_key" if name.startswith("key-") else "tenant", "limit": limit}


def _cursor(cursor: Cursor) -> str:
    at, subject, meter, kind, sequence = cursor
    raw = json.dumps([at.isoformat(), str(subject), meter, kind, sequence]).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _after(cursor: str | None) -> Cursor | None:
    if cursor is None:
        return None
    try:
        at, subject, meter, kind, sequence = json.loads(base64.urlsafe_b64decode(cursor + "=="))
        return datetime.fromisoformat(at), UUID(subject), str(meter), str(kind), int(sequence)
    except (ValueError, TypeError, AttributeError):
        raise _refused("cursor", "Use `next_cursor` of the page before, unchanged.") from None


def _refused(field: str, detail: str) -> Problem:
    return Problem("invalid_request", 422, f"{field}: {detail}", [FieldError(field, "invalid", detail)])

"""A statement as JSON lines: terms, prices, lines and every entry, enough to compute it again without us."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from apikit import ids
from billing.books import find_book
from billing.contracts import Price
from billing.rating import shown
from billing.statements.canonical import line_shape, terms_shape
from billing.statements.contracts import MINIMUM, Statement
from billing.statements.entries import Entry, all_entries

FORMAT = 1


def json_lines(statement: Statement, *, using: str) -> Iterator[str]:
    """One JSON object a line; `object` says which."""
    for shape in _objects(statement, using=using):
        yield json.dumps(shape, ensure_ascii=False, separators=(",", ":")) + "\n"


def _objects(statement: Statement, *, using: str) -> Iterator[dict[str, Any]]:
    yield {"object": "statement", "format": FORMAT, **header(statement)}
    for version in sorted({line.book_version for line in statement.lines if line.book_version}):
        book = find_book(version, using=using)
        for price in book.prices.values() if book else ():
            yield {"object": "price", "book_version": version, **price_shape(price)}
    for ordinal, line in enumerate(statement.lines):
        yield {"object": "statement_line", "ordinal": ordinal, **line_shape(line)}
    for entry in all_entries(statement, using=using):
        yield {"object": "statement_entry", **entry_shape(entry)}


def header(statement: Statement) -> dict[str, Any]:
    """The statement without its lines, in JSON's types."""
    totals, terms = statement.totals, terms_shape(statement.terms)
    minimum = [shown(line.amount) for line in statement.lines if line.kind == MINIMUM]
    return {
        "id": ids.show(ids.STATEMENT, statement.id), "status": statement.status, **terms,
        "tenant_id": ids.show(ids.TENANT, statement.terms.tenant_id), "entries": statement.entries,
        "subtotal": shown(totals.subtotal), "tax": shown(totals.tax), "total": shown(totals.total),
        "from_wallet": shown(totals.from_wallet), "due": shown(totals.due), "minimum": minimum[0] if minimum else None,
        "content_hash": statement.content_hash,
    }  # fmt: skip


def price_shape(price: Price) -> dict[str, Any]:
    """A price with its tiers, in JSON's types."""
    return {
        "engine": price.engine, "model": price.model, "mode": price.mode, "meter": price.meter,
        "feature": price.feature, "unit_price": shown(price.unit_price), "unit_size": price.unit_size,
        "increment_ms": price.increment_ms, "minimum_ms": price.minimum_ms, "per_channel": price.per_channel,
        "included": price.included, "tier_mode": price.tier_mode,
        "tiers": [{"up_to": tier.up_to, "unit_price": shown(tier.unit_price)} for tier in price.tiers],
    }  # fmt: skip


def entry_shape(entry: Entry) -> dict[str, Any]:
    """An entry in JSON's types; a job's id as the API shows it is not known here, the bare one is."""
    return {
        "subject_id": str(entry.subject_id), "created_at": entry.subject_created_at.isoformat(), "kind": entry.kind,
        "sequence": entry.sequence, "occurred_at": entry.occurred_at.isoformat(), "meter": entry.meter,
        "engine": entry.engine, "model": entry.model, "mode": entry.mode, "feature": entry.feature,
        "raw_quantity": entry.raw_quantity, "billable_quantity": entry.billable_quantity,
        "unit_price": shown(entry.unit_price), "unit_size": entry.unit_size, "amount": shown(entry.amount),
        "currency": entry.currency, "book_version": entry.book_version,
        "origin_period": entry.origin_period.isoformat(), "on_wallet": entry.on_wallet,
    }  # fmt: skip

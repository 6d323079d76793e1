"""A statement as bytes that never differ for the same content, and their SHA-256. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from billing.rating import shown
from billing.statements.contracts import Line, Terms


def content_hash(terms: Terms, lines: Sequence[Line]) -> str:
    """SHA-256 over the terms and every line, in order; status, people and payments are no part of it."""
    shape = {"terms": terms_shape(terms), "lines": [line_shape(line) for line in lines]}
    encoded = json.dumps(shape, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(encoded).hexdigest()


def terms_shape(terms: Terms) -> dict[str, Any]:
    """The contract's part, in JSON's types."""
    return {
        "tenant_id": str(terms.tenant_id), "period": terms.period.isoformat(), "currency": terms.currency,
        "time_zone": terms.time_zone, "starts_at": _moment(terms.starts_at), "ends_at": _moment(terms.ends_at),
        "legal_name": terms.legal_name, "address": terms.address, "registration_number": terms.registration_number,
        "tax_name": terms.tax_name, "tax_percent": shown(terms.tax_percent),
    }  # fmt: skip


def line_shape(line: Line) -> dict[str, Any]:
    """A line in JSON's types."""
    return {
        "kind": line.kind, "description": line.description, "formula": line.formula, "amount": shown(line.amount),
        "quantity": line.quantity, "entries": line.entries, "meter": line.meter, "engine": line.engine,
        "model": line.model, "mode": line.mode, "feature": line.feature, "book_version": line.book_version,
        "origin_period": line.origin_period.isoformat() if line.origin_period else None,
        "subject_id": str(line.subject_id) if line.subject_id else None,
        "unit_price": None if line.unit_price is None else shown(line.unit_price), "unit_size": line.unit_size,
        "ledger_price": None if line.ledger_price is None else shown(line.ledger_price), "tier": line.tier,
    }  # fmt: skip


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Entries in bulk: usage that was metered elsewhere, or replayed. What is there already changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from uuid import UUID

from django.db import connections, transaction

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class ImportedEntry:
    """One `usage` entry; its key is the ledger's: (subject_created_at, subject_id, meter, sequence)."""

    subject_created_at: datetime
    subject_id: UUID
    meter: str
    sequence: int
    tenant_id: UUID
    api_key_id: UUID | None
    engine: str
    model: str
    mode: str
    raw_quantity: int
    billable_quantity: int
    unit_price: Decimal
    unit_size: int
    amount: Decimal
    currency: str
    book_version: int
    occurred_at: datetime


_FIELDS = tuple(ImportedEntry.__dataclass_fields__)
_ROW = attrgetter(*_FIELDS)
_TYPES = (
    "timestamptz", "uuid", "text", "int", "uuid", "uuid", "text", "text", "text", "bigint", "bigint", "numeric",
    "bigint", "numeric", "text", "int", "timestamptz",
)  # fmt: skip
_SHAPE = ", ".join(f"{name} {of}" for name, of in zip(_FIELDS, _TYPES, strict=True))
# One text for the whole batch: an array for each column costs the client several times as much.
_encode = json.JSONEncoder(default=str, separators=(",", ":")).encode
# Months are looked up, and locked, once each: in order, so that two imports never wait for each other.
_ADD = f"""WITH dated AS MATERIALIZED (
  SELECT s.*, date_trunc('month', s.occurred_at AT TIME ZONE t.time_zone)::date AS origin
    FROM json_to_recordset(%s::json) AS s ({_SHAPE}) JOIN public.tenant AS t ON t.id = s.tenant_id
), opened AS MATERIALIZED (
  SELECT origin, public.parlance_open_period(origin) AS period
    FROM (SELECT DISTINCT origin FROM dated ORDER BY origin) AS origins
)
INSERT INTO public.usage_entry ({", ".join(_FIELDS)}, kind, livemode, period, origin_period)
SELECT {", ".join(f"dated.{name}" for name in _FIELDS)}, 'usage', true, opened.period, dated.origin
  FROM dated JOIN opened USING (origin)
ON CONFLICT DO NOTHING"""  # noqa: S608  # constants only


def import_entries(entries: Iterable[ImportedEntry], *, using: str = "system") -> int:
    """Add what is new, a batch of 5,000 in a transaction; how many were added. It may be repeated after a crash."""
    added, batch = 0, []
    for entry in entries:
        batch.append(entry)
        if len(batch) == BATCH:
            added += _add(batch, using=using)
            batch = []
    return added + (_add(batch, using=using) if batch else 0)


def _add(batch: Sequence[ImportedEntry], *, using: str) -> int:
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(_ADD, [_encode([dict(zip(_FIELDS, _ROW(entry), strict=True)) for entry in batch])])
        return int(cursor.rowcount)

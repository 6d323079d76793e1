"""Reads of the ledger. Row-level security shows a tenant its own entries only; `cost` entries are the operator's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from billing import rating
from billing.contracts import Cost, UsageLine, UsageSummary

# Two lists instead of pairs: only a plain comparison of the partition key lets the planner skip other months.
_COSTS = """SELECT subject_id, currency, sum(amount) FROM public.usage_entry
 WHERE subject_created_at = ANY(%s::timestamptz[]) AND subject_id = ANY(%s::uuid[]) AND kind <> 'cost'
 GROUP BY subject_id, currency"""

_USAGE = """SELECT CASE WHEN %(group)s::text IS NULL THEN NULL
   ELSE date_trunc(%(group)s::text, occurred_at, %(time_zone)s) END AS bucket,
   meter, engine, mode, sum(billable_quantity)::bigint, sum(amount), currency, count(DISTINCT subject_id)
  FROM public.usage_entry
 WHERE tenant_id = %(tenant_id)s AND livemode = %(livemode)s AND kind <> 'cost'
   AND occurred_at >= %(start)s AND occurred_at < %(end)s
 GROUP BY bucket, meter, engine, mode, currency ORDER BY bucket, meter, engine, mode, currency"""


def costs_of(jobs: Sequence[tuple[UUID, datetime]]) -> dict[UUID, Cost]:
    """What the jobs (id, created_at) cost; one query. A job without entries is not in the dict."""
    if not jobs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_COSTS, [sorted({created for _, created in jobs}), [job_id for job_id, _ in jobs]])
        return {job_id: Cost(amount, currency) for job_id, currency, amount in cursor.fetchall()}


def cost_of(job_id: UUID, *, subject_created_at: datetime) -> Cost | None:
    """What one job cost; None when it has no entries."""
    return costs_of([(job_id, subject_created_at)]).get(job_id)


def usage_summary(
    tenant_id: UUID,
    *,
    livemode: bool,
    start: datetime,
    end: datetime,
    group: str | None = None,
    time_zone: str = "UTC",
) -> UsageSummary:
    """Usage that occurred in [start, end), per meter, engine and mode, and per hour or day of an IANA time zone.

    `group` is None, "hour" or "day"; a day begins at local midnight, also where clocks change.
    """
    values: dict[str, Any] = {
        "tenant_id": tenant_id, "livemode": livemode, "start": start, "end": end, "group": group,
        "time_zone": time_zone,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_USAGE, values)
        lines = tuple(UsageLine(*row) for row in cursor.fetchall())
    return UsageSummary(lines, _totals(lines))


def _totals(lines: Sequence[UsageLine]) -> tuple[Cost, ...]:
    amounts: dict[str, list[Decimal]] = {}
    for line in lines:
        amounts.setdefault(line.currency, []).append(line.amount)
    return tuple(Cost(rating.total(amounts[currency]), currency) for currency in sorted(amounts))

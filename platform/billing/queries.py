"""What jobs cost. Row-level security shows a tenant its own entries only; `cost` entries are the operator's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from billing.contracts import Cost

# Two lists instead of pairs: only a plain comparison of the partition key lets the planner skip other months.
_COSTS = """SELECT subject_id, currency, sum(amount) FROM public.usage_entry
 WHERE subject_created_at = ANY(%s::timestamptz[]) AND subject_id = ANY(%s::uuid[]) AND kind <> 'cost'
 GROUP BY subject_id, currency"""

_COST = """SELECT sum(amount), currency FROM public.usage_entry
 WHERE subject_created_at = %(created_at)s AND subject_id = %(job)s AND kind <> 'cost'
   AND (%(sequence)s::int IS NULL OR sequence = %(sequence)s AND kind IN ('usage', 'adjust')) GROUP BY currency"""


def costs_of(jobs: Sequence[tuple[UUID, datetime]]) -> dict[UUID, Cost]:
    """What the jobs (id, created_at) cost; one query. A job without entries is not in the dict."""
    if not jobs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_COSTS, [sorted({created for _, created in jobs}), [job_id for job_id, _ in jobs]])
        return {job_id: Cost(amount, currency) for job_id, currency, amount in cursor.fetchall()}


def cost_of(job_id: UUID, *, subject_created_at: datetime, sequence: int | None = None) -> Cost | None:
    """What one job cost, or one chunk of a stream; None when it has no entries."""
    with connection.cursor() as cursor:
        cursor.execute(_COST, {"job": job_id, "created_at": subject_created_at, "sequence": sequence})
        row = cursor.fetchone()
    return Cost(*row) if row else None

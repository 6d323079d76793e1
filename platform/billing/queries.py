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

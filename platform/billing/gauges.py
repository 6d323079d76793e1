"""Whether money follows the work: every ended job has settled its hold with its end, and every sum agrees."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connections

from dispatch.facade import seconds_since_oldest_end
from observe.facade import Reading
from observe.instruments import LEDGER_LAG_SECONDS, RECONCILIATION_AGE_SECONDS, RECONCILIATION_DIFFERENCES

_LAST = """SELECT found, ceil(extract(epoch FROM now() - ended_at))::bigint FROM public.reconciliation
 WHERE ended_at IS NOT NULL AND error = '' ORDER BY ended_at DESC LIMIT 1"""
LOOKED_AT = 10_000  # holds are of jobs that run: more than these do not run at once


def ledger_gauges() -> Iterator[Reading]:
    """Lag and differences are above zero only when something is wrong; all are zero before the first reconciliation."""
    with connections["system"].cursor() as cursor:
        cursor.execute("SELECT job_id FROM hold ORDER BY created_at LIMIT %s", [LOOKED_AT])
        held = [job_id for (job_id,) in cursor.fetchall()]
        cursor.execute(_LAST)
        found, age_s = cursor.fetchone() or (0, 0)
    yield Reading(LEDGER_LAG_SECONDS, seconds_since_oldest_end(held))
    yield Reading(RECONCILIATION_DIFFERENCES, found)
    yield Reading(RECONCILIATION_AGE_SECONDS, age_s)

"""Whether money follows the work: every ended job has settled its hold in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connections

from dispatch.facade import seconds_since_oldest_end
from observe.facade import Reading
from observe.instruments import LEDGER_LAG_SECONDS

LOOKED_AT = 10_000  # holds are of jobs that run: more than these do not run at once


def ledger_gauges() -> Iterator[Reading]:
    """The reading is above zero only when something is wrong."""
    with connections["system"].cursor() as cursor:
        cursor.execute("SELECT job_id FROM hold ORDER BY created_at LIMIT %s", [LOOKED_AT])
        held = [job_id for (job_id,) in cursor.fetchall()]
    yield Reading(LEDGER_LAG_SECONDS, seconds_since_oldest_end(held))

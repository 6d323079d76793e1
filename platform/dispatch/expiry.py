"""Calls of engines are written down for as long as somebody may ask what became of one; then they go."""

from __future__ import annotations

import time
from uuid import UUID

from django.db import connections

KEEP_DAYS = 90  # a provider's bill for a month is checked against them within the quarter
BATCH = 10_000  # a table's worth at once would hold its locks for long
DAY_MS = 86_400_000

# A job's id begins with its time, so the oldest are one range of the key.
_FORGET = """DELETE FROM engine_attempt WHERE (job_id, number) IN (
  SELECT job_id, number FROM engine_attempt WHERE job_id < %s ORDER BY job_id, number LIMIT %s)"""


def forget_old_attempts(*, keep_days: int = KEEP_DAYS, batch: int = BATCH, using: str = "system") -> int:
    """Delete the calls of jobs that were accepted longer ago; how many went. Each batch is a transaction."""
    before, gone = UUID(int=(time.time_ns() // 1_000_000 - keep_days * DAY_MS) << 80), 0
    while True:
        with connections[using].cursor() as cursor:
            cursor.execute(_FORGET, [before, batch])
            found = int(cursor.rowcount)
        gone += found
        if found < batch:
            return gone

"""Where a waiting job stands among its tenant's own, and when it is expected to be taken up.

The position is counted behind the tenant's wall. The estimate needs what other tenants have waiting; it comes from one
function of the database (`walls.py`), which gives nothing away but the milliseconds to wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

MOST_AHEAD: Final = 1_000  # items counted: beyond, "1,000 or more" tells as much

# The job's next item; items leave the table as they are done, so this is one step in the index.
_PLACE = """WITH mine AS MATERIALIZED (SELECT lane_id, turn, id FROM work_item
  WHERE job_id = %(job)s AND state = 'queued' ORDER BY job_id, step, ordinal LIMIT 1),
ahead AS MATERIALIZED (SELECT w.job_id, w.cost_ms FROM mine, LATERAL (SELECT job_id, cost_ms FROM work_item
  WHERE lane_id = mine.lane_id AND state = 'queued' AND (turn, id) < (mine.turn, mine.id)
  ORDER BY turn, id LIMIT %(most)s) w),
counted AS (SELECT count(*) AS items, count(DISTINCT job_id) FILTER (WHERE job_id <> %(job)s) AS jobs,
  coalesce(sum(cost_ms), 0)::bigint AS cost_ms FROM ahead)
SELECT c.items, c.jobs, CASE WHEN c.items < %(most)s THEN
  now() + public.parlance_expected_wait_ms(mine.lane_id, c.cost_ms) * interval '1 millisecond' END
FROM mine, counted c"""


@dataclass(frozen=True, slots=True)
class Place:
    """`position` 1 is next; 1,000 stands for that or more, and has no estimate. None too while no worker is alive."""

    position: int
    estimated_start_at: datetime | None


def place_of(job_id: UUID) -> Place | None:
    """The place of a job's next waiting step, in one query; None when nothing of it waits for a slot."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(_PLACE, {"job": job_id, "most": MOST_AHEAD})
        row = cursor.fetchone()
    if row is None:
        return None
    items, jobs, start_at = row
    return Place(position=min(jobs + 1, MOST_AHEAD) if items < MOST_AHEAD else MOST_AHEAD, estimated_start_at=start_at)

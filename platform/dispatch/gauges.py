"""What waits in the queues, in audio seconds and in expected work, read in one look when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import connections

from apikit import ids
from observe.facade import Reading
from observe.instruments import (
    DEAD_LETTERS,
    QUEUE_AUDIO_SECONDS,
    QUEUE_ITEMS,
    QUEUE_OLDEST_SECONDS,
    QUEUE_WORK_SECONDS,
    SLOTS,
    TENANT_BACKLOG_SECONDS,
)

TENANTS_SHOWN = 20  # the largest: a label for each of thousands would be a series for each

# One pass over what is not finished. The range of a hearing step is its audio; steps of other kinds have none.
QUEUES = """SELECT l.queue, w.state, count(*), coalesce(sum(w.cost_ms), 0),
  coalesce(sum(w.end_ms - w.start_ms) FILTER (WHERE w.step = 'transcribe'), 0),
  extract(epoch FROM now() - min(w.created_at))
 FROM work_item w JOIN lane l ON l.id = w.lane_id GROUP BY l.queue, w.state"""
_TENANTS = """SELECT tenant_id, sum(cost_ms) FROM work_item WHERE state = 'queued'
 GROUP BY tenant_id ORDER BY 2 DESC LIMIT %s"""
SLOTS_ALIVE = "SELECT executor, sum(slots) FROM executor_host WHERE alive_until > now() GROUP BY executor"
_DEAD = "SELECT count(*) FROM dead_letter WHERE replayed_at IS NULL"

_ENDED = "SELECT coalesce(extract(epoch FROM now() - min(finished_at)), 0) FROM job WHERE id = ANY(%s)"


def queue_gauges() -> Iterator[Reading]:
    """Readings of every queue, executor and of the tenants with the longest backlog."""
    with connections["system"].cursor() as cursor:
        cursor.execute(QUEUES)
        for queue, state, count, work_ms, audio_ms, age_s in cursor.fetchall():
            executor, _, service_class = queue.rpartition("/")
            yield Reading(QUEUE_ITEMS, count, (executor, service_class, state))
            if state == "queued":
                yield Reading(QUEUE_WORK_SECONDS, float(work_ms) / 1000, (executor, service_class))
                yield Reading(QUEUE_AUDIO_SECONDS, float(audio_ms) / 1000, (executor, service_class))
                yield Reading(QUEUE_OLDEST_SECONDS, float(age_s), (executor, service_class))
        cursor.execute(_TENANTS, [TENANTS_SHOWN])
        for tenant_id, work_ms in cursor.fetchall():
            yield Reading(TENANT_BACKLOG_SECONDS, float(work_ms) / 1000, (ids.show(ids.TENANT, tenant_id),))
        cursor.execute(SLOTS_ALIVE)
        yield from (Reading(SLOTS, slots, (executor,)) for executor, slots in cursor.fetchall())
        cursor.execute(_DEAD)
        yield Reading(DEAD_LETTERS, cursor.fetchone()[0])


def seconds_since_oldest_end(job_ids: Sequence[UUID]) -> float:
    """How long ago the first of these jobs ended; 0 when none has."""
    with connections["system"].cursor() as cursor:
        cursor.execute(_ENDED, [list(job_ids)])
        return float(cursor.fetchone()[0])

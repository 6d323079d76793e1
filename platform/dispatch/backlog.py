"""How long work has been waiting. Past the operator's limit new work is refused, instead of being taken and left lying.

The sweeper measures and leaves the figure in Redis; without it (Redis down, no sweeper yet) nothing is refused.
"""

from __future__ import annotations

import time

import redis
from django.conf import settings
from django.db import connections

from dispatch import broker
from dispatch.contracts import Overloaded

KEY = "parlance:backlog_age_s"
VALID_S = 60
CACHE_S = 2.0

# The oldest item of each active lane by turn: as many index probes as there are lanes with work.
_OLDEST = """SELECT coalesce(extract(epoch FROM now() - min(w.created_at)), 0)::bigint FROM lane l,
 LATERAL (SELECT created_at FROM work_item w WHERE w.lane_id = l.id AND w.state = 'queued'
   ORDER BY w.turn, w.id LIMIT 1) w WHERE l.active AND l.queue LIKE '%%/interactive'"""

_known: tuple[float, int] = (0.0, 0)


def measure() -> None:
    """Take the age of the oldest interactive item that waits (called by the sweeper)."""
    with connections["system"].cursor() as cursor:
        cursor.execute(_OLDEST)
        age_s = int(cursor.fetchone()[0])
    broker.client().set(KEY, age_s, ex=VALID_S)


def check() -> None:
    """Raises `Overloaded` when interactive work waits longer than the limit."""
    global _known
    read_at, age_s = _known
    if time.monotonic() - read_at > CACHE_S:
        age_s = _read()
        _known = (time.monotonic(), age_s)
    if age_s > settings.MAX_QUEUE_AGE_S:
        raise Overloaded(age_s)


def _read() -> int:
    try:
        return int(broker.client().get(KEY) or 0)
    except redis.RedisError:
        return 0

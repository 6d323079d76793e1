"""How far the telling is behind what happened."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connections

from observe.facade import Reading
from observe.instruments import EVENTS_UNSENT, WEBHOOK_LAG_SECONDS, WEBHOOKS_DUE

_DUE = """SELECT count(*), coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0) FROM delivery
 WHERE state = 'pending' AND next_attempt_at <= now()"""
_UNSENT = "SELECT count(*) FROM outbox_event WHERE position IS NULL"


def webhook_gauges() -> Iterator[Reading]:
    """Readings of deliveries that are due, and of events that nobody has looked at."""
    with connections["system"].cursor() as cursor:
        cursor.execute(_DUE)
        due, lag_s = cursor.fetchone()
        yield Reading(WEBHOOKS_DUE, due)
        yield Reading(WEBHOOK_LAG_SECONDS, float(lag_s))
        cursor.execute(_UNSENT)
        yield Reading(EVENTS_UNSENT, cursor.fetchone()[0])

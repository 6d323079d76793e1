"""A wake-up is sent without Celery, and is what Celery's own worker takes."""

from __future__ import annotations

import kombu

from dispatch import broker
from dispatch.wakeups import TASK


def test_celery_reads_what_was_sent() -> None:
    queue = "local:nobody"
    broker.send_wakeup(queue)
    assert broker.depth(queue) == 1
    with broker.celery_app().connection() as connection:
        taken = connection.SimpleQueue(kombu.Queue(queue, exchange="", routing_key=queue), no_ack=True).get(timeout=5)
    assert (taken.headers["task"], taken.payload[0]) == (TASK, [queue])
    assert broker.depth(queue) == 0

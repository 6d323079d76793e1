"""Wake-ups: Celery messages that say only "queue X has work". Losing, doubling or reordering them changes nothing.

A background thread sends them, so that no request waits for the broker, and a burst of accepts costs one message.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from observe.facade import get_logger

if TYPE_CHECKING:
    from celery import Celery

TASK = "dispatch.wake"
MAX_DEPTH = 100  # waiting messages per executor: more would only say the same again
MIN_GAP_S = 0.01

log = get_logger(__name__)


def celery_broker(redis_url: str) -> str:
    """Celery's dialect of a Redis URL.

    >>> celery_broker("unix:///run/redis.sock")
    'redis+socket:///run/redis.sock'
    """
    return "redis+socket://" + redis_url.removeprefix("unix://") if redis_url.startswith("unix://") else redis_url


def make_celery(redis_url: str) -> Celery:
    """The Celery app, with everything off that a durable queue in PostgreSQL makes unnecessary."""
    from celery import Celery  # here: only workers need it, and it weighs 6 MB

    app = Celery("parlance", broker=celery_broker(redis_url))
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=False,  # acked on receipt: the message is only a hint
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"socket_timeout": 10, "socket_connect_timeout": 2, "health_check_interval": 25},
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
    )
    return app


def message(executor: str) -> bytes:
    """A wake-up as Celery's worker takes it off a Redis list (task messages of version 2 in kombu's envelope).

    https://docs.celeryq.dev/en/stable/internals/protocol.html
    """
    number = str(uuid4())
    body = json.dumps([[executor], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    envelope: dict[str, Any] = {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": TASK, "id": number, "root_id": number, "parent_id": None, "group": None},
        "properties": {
            "correlation_id": number, "reply_to": "", "delivery_mode": 1, "priority": 0, "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": executor}, "delivery_tag": str(uuid4()),
        },
    }  # fmt: skip
    return json.dumps(envelope).encode()


class Waker:
    """Collects executors to wake and sends the messages from one thread of its own."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._wanted: set[str] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def wake(self, executor: str) -> None:
        """Ask for one wake-up soon; returns at once and never fails."""
        with self._changed:
            self._wanted.add(executor)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._wanted))
                wanted, self._wanted = self._wanted, set()
            for executor in wanted:
                self._try(executor)
            threading.Event().wait(MIN_GAP_S)

    def _try(self, executor: str) -> None:
        try:
            self._send(executor)
        except Exception as error:  # the sweeper sends again as long as there is work
            log.warning("wakeup_failed", executor=executor, error=type(error).__name__)

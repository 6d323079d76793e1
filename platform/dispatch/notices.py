"""What happens to jobs, as a stream of notices: over Redis at once, and from one query a second for what was lost.

One subscription and one query per process, however many wait.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Collection
from typing import NamedTuple
from uuid import UUID

import redis.asyncio as redis
from django.conf import settings
from django.db import connection

from apikit.threads import in_request_thread
from dispatch.broker import ENDED_CHANNEL, PROGRESS_CHANNEL
from dispatch.contracts import TERMINAL
from observe.facade import get_logger

POLL_S = 1.0
_CHANNELS = {ENDED_CHANNEL: True, PROGRESS_CHANNEL: False}

log = get_logger(__name__)


class Mark(NamedTuple):
    """What of a job changes while it runs; two equal marks mean no news."""

    state: str
    segments_left: int
    done_ms: int

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL


class Notices:
    """Calls `on_notice(job_id, ended)` for messages and `on_mark(job_id, mark)` for the query's rows."""

    def __init__(
        self,
        *,
        wanted: Callable[[], Collection[UUID]],
        on_notice: Callable[[UUID, bool], None],
        on_mark: Callable[[UUID, Mark], None],
    ) -> None:
        self._wanted = wanted
        self._on_notice = on_notice
        self._on_mark = on_mark
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """From now on, on the running event loop; once is enough."""
        if self._tasks and not self._tasks[0].done():
            return
        # A context of their own: that of the first caller would keep its tenant in force for ever.
        nobody = contextvars.Context()
        self._tasks = [asyncio.create_task(each, context=nobody) for each in (self._listen(), self._poll())]

    async def _listen(self) -> None:
        while True:
            try:
                await self._subscribe()
            except (redis.RedisError, OSError) as error:
                log.warning("subscription_lost", error=type(error).__name__)
                await asyncio.sleep(POLL_S)

    async def _subscribe(self) -> None:
        async with redis.Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as subscription:
            await subscription.subscribe(*_CHANNELS)
            async for message in subscription.listen():
                if message["type"] == "message":
                    self._on_notice(UUID(message["data"].decode()), _CHANNELS[message["channel"].decode()])

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            wanted = list(self._wanted())
            if not wanted:
                continue
            try:
                for job_id, mark in await in_request_thread(_marks, wanted):
                    self._on_mark(job_id, mark)
            except Exception as error:
                log.warning("wait_query_failed", error=type(error).__name__)


def _marks(wanted: list[UUID]) -> list[tuple[UUID, Mark]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM public.parlance_marks(%s)", [wanted])
        return [(row[0], Mark(*row[1:])) for row in cursor.fetchall()]

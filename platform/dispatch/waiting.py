"""Waiting for jobs to end, for long-poll and streams: no thread, no database connection, one subscription per process.

A notice comes over Redis; once a second one query asks for all awaited jobs, so a lost notice costs a second.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from uuid import UUID

import redis.asyncio as redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

from dispatch.broker import ENDED_CHANNEL
from observe.facade import get_logger

POLL_S = 1.0

log = get_logger(__name__)


class JobWaiter:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._tasks: list[asyncio.Task[None]] = []

    async def wait(self, job_id: UUID, *, timeout_s: float) -> bool:
        """True when the job ended within the time. Ask for its state once more *after* `register` and before this."""
        event = self.register(job_id)
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            return False
        finally:
            self.unregister(job_id, event)
        return True

    def register(self, job_id: UUID) -> asyncio.Event:
        """From now on a notice for the job is not missed."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._poll())]
        event = asyncio.Event()
        self._waiting[job_id].add(event)
        return event

    def unregister(self, job_id: UUID, event: asyncio.Event) -> None:
        events = self._waiting.get(job_id, set())
        events.discard(event)
        if not events:
            self._waiting.pop(job_id, None)

    def _notify(self, job_id: UUID) -> None:
        for event in self._waiting.get(job_id, ()):
            event.set()

    async def _listen(self) -> None:
        while True:
            try:
                await self._subscribe()
            except (redis.RedisError, OSError) as error:
                log.warning("subscription_lost", error=type(error).__name__)
                await asyncio.sleep(POLL_S)

    async def _subscribe(self) -> None:
        async with redis.Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as subscription:
            await subscription.subscribe(ENDED_CHANNEL)
            async for message in subscription.listen():
                if message["type"] == "message":
                    self._notify(UUID(message["data"].decode()))

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            wanted = list(self._waiting)
            if not wanted:
                continue
            try:
                for job_id in await sync_to_async(_ended, thread_sensitive=False)(wanted):
                    self._notify(job_id)
            except Exception as error:
                log.warning("wait_query_failed", error=type(error).__name__)


def _ended(wanted: list[UUID]) -> list[UUID]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT public.parlance_ended(%s)", [wanted])
            return [row[0] for row in cursor.fetchall()]
    finally:
        connection.close()  # the thread belongs to a shared pool


waiter = JobWaiter()

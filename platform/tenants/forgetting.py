"""What processes know of keys, forgotten everywhere at once when one changes: a message over Redis after the commit.

A message may be lost. So what is known is trusted for seconds only, and for less while no message can be heard.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from functools import lru_cache

import redis
import redis.asyncio
from django.conf import settings
from django.db import transaction

from observe.facade import get_logger

CHANNEL = "parlance:keys"
ANSWER_S = 0.5
AGAIN_S = 1.0

log = get_logger(__name__)


class Ears:
    """Hears in one event loop that keys have changed."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self._forget = forget
        self._task: asyncio.Task[None] | None = None
        self.open = False

    def start(self) -> None:
        """Listen from now on, on the running event loop; once is enough."""
        if self._task is None or self._task.done():
            # A context of its own: that of the first caller would keep its tenant in force for ever.
            self._task = asyncio.create_task(self._listen(), context=contextvars.Context())

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except (redis.RedisError, OSError) as error:
                log.warning("key_notices_lost", error=type(error).__name__)
            self.open = False
            await asyncio.sleep(AGAIN_S)

    async def _hear(self) -> None:
        async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as subscription:
            await subscription.subscribe(CHANNEL)
            async for message in subscription.listen():
                # The first is Redis' answer to the subscription: whatever was missed before is forgotten with it.
                self.open = True
                self._forget()
                log.debug("keys_forgotten", kind=message["type"])


def forget_on_commit(*, using: str) -> None:
    """Once the caller's transaction has committed, every process reads keys and tenants anew."""
    transaction.on_commit(_tell, using=using)


def _tell() -> None:
    from tenants.auth import forget_keys  # it reads through this module

    forget_keys()
    try:
        _client().publish(CHANNEL, "")
    except redis.RedisError as error:
        log.warning("key_notice_unsent", error=type(error).__name__)


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)

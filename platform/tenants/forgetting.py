"""What processes know of keys and of tenants' rules, forgotten everywhere at once when it changes: a message over Redis
after the commit, with the topic that changed.

A message may be lost. So what is known is trusted for seconds only, and for less while no message can be heard.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from functools import lru_cache, partial

import redis
import redis.asyncio
from django.conf import settings
from django.db import transaction

from observe.facade import get_logger

CHANNEL = "parlance:keys"
KEYS = "keys"
ALL = ""  # so do processes of earlier versions say it
TRUSTED_S = 5.0  # what changed is in force everywhere within this time even if the notice is lost
DEAF_TRUSTED_S = 0.5  # and while no notice can be heard
ANSWER_S = 0.5
AGAIN_S = 1.0

log = get_logger(__name__)


_forgets: dict[str, list[Callable[[], None]]] = {}


def when_told(topic: str, forget: Callable[[], None]) -> None:
    """Have `forget` called whenever something of the topic has changed."""
    _forgets.setdefault(topic, []).append(forget)


def forget(topic: str) -> None:
    """Drop what this process knows of a topic, or of all."""
    for name, forgets in _forgets.items():
        if topic in {ALL, name}:
            for each in forgets:
                each()


class Ears:
    """Hears in one event loop which topic has changed."""

    def __init__(self, forget: Callable[[str], None]) -> None:
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
                log.warning("notices_lost", error=type(error).__name__)
            self.open = False
            await asyncio.sleep(AGAIN_S)

    async def _hear(self) -> None:
        async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as subscription:
            await subscription.subscribe(CHANNEL)
            async for message in subscription.listen():
                # The first is Redis' answer to the subscription: whatever was missed before is forgotten with it.
                self.open = True
                self._forget(message["data"].decode() if message["type"] == "message" else ALL)
                log.debug("forgotten", kind=message["type"])


ears = Ears(forget)


def trusted_s() -> float:
    """How long what was read is good unless a change is told."""
    return TRUSTED_S if ears.open else DEAF_TRUSTED_S


def forget_on_commit(*, using: str, topic: str = KEYS) -> None:
    """Once the caller's transaction has committed, every process reads the topic anew."""
    transaction.on_commit(partial(_tell, topic), using=using)


def _tell(topic: str) -> None:
    forget(topic)
    try:
        _client().publish(CHANNEL, topic)
    except redis.RedisError as error:
        log.warning("notice_unsent", topic=topic, error=type(error).__name__)


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)

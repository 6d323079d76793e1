"""This process's connection to Redis: wake-ups, and notices that a job has ended."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

import redis
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, transaction

from dispatch.wakeups import MAX_DEPTH, Waker, make_celery, message
from observe.facade import failpoint, get_logger

if TYPE_CHECKING:
    from celery import Celery

ENDED_CHANNEL = "parlance:ended"
PROGRESS_CHANNEL = "parlance:progress"

log = get_logger(__name__)


@lru_cache(maxsize=1)
def celery_app() -> Celery:
    """The one Celery app of this process."""
    return make_celery(settings.REDIS_URL)


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    """One Redis client, used for hints only: nothing that counts lives there."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


def send_wakeup(executor: str) -> None:
    """Send one message unless plenty are waiting."""
    if depth(executor) < MAX_DEPTH:
        client().lpush(executor, message(executor))


def depth(executor: str) -> int:
    """Messages waiting for an executor."""
    return int(client().llen(executor))


@lru_cache(maxsize=1)
def _waker() -> Waker:
    return Waker(send_wakeup)


def wake(executor: str) -> None:
    """Wake a worker of the executor soon."""
    _waker().wake(executor)


def wake_on_commit(executor: str, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Wake once the caller's transaction has committed; a crash in between is mended by the sweeper."""

    def after_commit() -> None:
        failpoint("wake.before")
        wake(executor)

    transaction.on_commit(after_commit, using=using)


def announce_ended(job_id: UUID, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Tell whoever waits for the job, after commit; a lost notice costs them a second."""
    transaction.on_commit(lambda: _announce(ENDED_CHANNEL, job_id), using=using)


def announce_progress(job_id: UUID, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Tell whoever follows a running job that there is news, after commit."""
    transaction.on_commit(lambda: _announce(PROGRESS_CHANNEL, job_id), using=using)


def _announce(channel: str, job_id: UUID) -> None:
    try:
        client().publish(channel, str(job_id))
    except redis.RedisError as error:
        log.warning("notice_failed", error=type(error).__name__)


def broker_ready() -> None:
    """Raises `redis.RedisError` when Redis does not answer."""
    client().ping()

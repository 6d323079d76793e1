"""Redis from an event loop, for a crowd."""

from __future__ import annotations

import redis.asyncio

CONNECTIONS = 16  # an answer takes some tenths of a millisecond: more connections bring no more answers
TURN_S = 5.0


def connect(redis_url: str, *, answer_s: float) -> redis.asyncio.Redis:
    """A client whose callers wait for one of few connections.

    Were each to open one of its own, a crowd would keep the loop so busy with it that answers seem to be late, and
    Redis away.
    """
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        redis_url, max_connections=CONNECTIONS, timeout=TURN_S, socket_timeout=answer_s, socket_connect_timeout=answer_s
    )
    return redis.asyncio.Redis(connection_pool=pool)

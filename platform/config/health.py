"""/livez: this process answers. /readyz: and what it depends on does too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import django.db

from apikit.asgi import Receive, Scope, Send, send_json
from dispatch.facade import broker_ready
from storage.facade import store

CHECK_S = 3.0


async def livez(scope: Scope, receive: Receive, send: Send) -> None:
    """Always 200 while the process runs."""
    await send_json(send, status=200, body={"status": "ok"})


async def readyz(scope: Scope, receive: Receive, send: Send) -> None:
    """200 when database, Redis and storage answer, else 503 with what does not."""
    names = ("database", "redis", "storage")
    results = await asyncio.gather(_check(_database), _check(broker_ready), _check(lambda: store().ready()))
    checks = dict(zip(names, results, strict=True))
    ready = all(checks.values())
    shown = {name: "ok" if fine else "down" for name, fine in checks.items()}
    await send_json(send, status=200 if ready else 503, body={"status": "ok" if ready else "down", "checks": shown})


async def _check(probe: Callable[[], None]) -> bool:
    try:
        async with asyncio.timeout(CHECK_S):
            await asyncio.to_thread(probe)
    except Exception:
        return False
    return True


def _database() -> None:
    try:
        with django.db.connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        django.db.connection.close()

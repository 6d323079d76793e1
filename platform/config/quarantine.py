"""While a restored system is in quarantine, customers can read and change nothing: the layer in front of all routes."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime

from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections

from apikit.asgi import App, Receive, Scope, Send, new_request_id, refuse
from apikit.dialects import answer_headers, render
from apikit.problems import Problem
from dispatch.facade import quarantined_since

READS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOK_EVERY_S = 1.0


class Quarantine:
    """ASGI application around another. A system that is not in quarantine when it starts never comes into it."""

    def __init__(self, app: App, *, base_url: str) -> None:
        self._app, self._base_url = app, base_url
        self._since: datetime | None = quarantined_since()
        self._looked_at = time.monotonic()
        self._looking = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in READS and await self._stands_still():
            await self._refuse(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _stands_still(self) -> bool:
        if self._since is not None and time.monotonic() - self._looked_at > LOOK_EVERY_S:
            async with self._looking:
                self._since = await sync_to_async(_look, thread_sensitive=False)(self._since)
                self._looked_at = time.monotonic()
        return self._since is not None

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = "This system was restored from a backup and only reads until its operator runs `parlance resume`."
        problem, request_id = Problem("quarantined", 503, detail, headers={"Retry-After": "60"}), new_request_id()
        shown = render(problem, path=scope["path"], base_url=self._base_url, request_id=request_id)
        shown.headers.update(answer_headers(scope["path"], request_id=request_id, took_ms=0))
        await refuse(shown, receive=receive, send=send)


def _look(known: datetime | None) -> datetime | None:
    close_old_connections()
    try:
        return quarantined_since()
    except DatabaseError:
        return known

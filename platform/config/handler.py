"""Django's ASGI handler on request threads that are kept.

Stock Django starts two threads per request, each with a database connection of its own to make. asgiref lets the caller
provide the executor instead: here one from a free list, taken when a request first needs a thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import django.core.cache
import django.db
from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started

MAX_IDLE = 32  # each holds a database connection; PostgreSQL's default allows 100 in all

_idle: deque[ThreadPoolExecutor] = deque()


class RequestThread(Executor):
    """Borrows one thread for one request, with fresh connections looked after before the first call."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._last: Future[Any] | None = None

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self._thread is None:
            self._thread = _idle.pop() if _idle else ThreadPoolExecutor(max_workers=1, thread_name_prefix="request")
            self._thread.submit(django.db.close_old_connections)
        self._last = self._thread.submit(function, *args, **kwargs)
        return self._last

    def release(self) -> None:
        """Put the thread back once its last call is done: a client that left may have a call still running."""
        thread, last = self._thread, self._last
        if thread is not None and last is not None:
            last.add_done_callback(lambda _done: _put_back(thread))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing: the thread outlives the request."""


def _put_back(thread: ThreadPoolExecutor) -> None:
    if len(_idle) < MAX_IDLE:
        _idle.append(thread)
    else:
        thread.submit(django.db.connections.close_all)
        thread.shutdown(wait=False)


class Handler(ASGIHandler):
    """Handles HTTP with reused threads."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        thread = RequestThread()
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
        finally:
            thread.release()


def make_handler() -> Handler:
    """Django set up, with the per-request signal receivers off that would cost every request a thread."""
    django.setup(set_prefix=False)
    request_started.disconnect(django.db.reset_queries)
    request_started.disconnect(django.db.close_old_connections)
    request_finished.disconnect(django.db.close_old_connections)
    request_finished.disconnect(django.core.cache.close_caches)
    return Handler()

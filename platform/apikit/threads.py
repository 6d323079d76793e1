"""The few kept threads that talk to the database, for whole requests and for what asynchronous code has to read.

Each keeps its connections. Whatever waits does so on the event loop and holds none of them (ADR 0004).
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

MAX_THREADS = 32  # each holds a database connection; PostgreSQL's default allows 100 in all

P = ParamSpec("P")
T = TypeVar("T")

_threads = ThreadPoolExecutor(max_workers=MAX_THREADS, thread_name_prefix="request")


class Threads:
    """Kept threads for calls that wait for somebody else and ask no database."""

    def __init__(self, count: int, *, name: str) -> None:
        self._threads = ThreadPoolExecutor(max_workers=count, thread_name_prefix=name)

    def start(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """What `work` will return; it goes on when nobody waits for it any more. From the event loop's thread."""
        context = contextvars.copy_context()
        call = partial(context.run, partial(work, *args, **kwargs))
        return asyncio.get_running_loop().run_in_executor(self._threads, call)


async def in_request_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` returns, called on a kept thread with a database connection that is known to be alive.

    The caller's context, and with it the tenant, goes along; nothing of it stays in the thread.
    """
    context = contextvars.copy_context()
    call = partial(context.run, _run, partial(work, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_threads, call)


def from_another_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for a thread that waits for somebody else and keeps no connection; not for one of the kept threads."""
    context = contextvars.copy_context()
    return _threads.submit(context.run, _run, partial(work, *args, **kwargs)).result()


def _run(work: Callable[[], T]) -> T:
    close_old_connections()
    return work()

"""What waits, once for threads and once for event loops; the second has the name of the first behind `a_`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

NewsT = TypeVar("NewsT")
ResultT = TypeVar("ResultT")


def sleep(seconds: float) -> None:
    time.sleep(seconds)


async def a_sleep(seconds: float) -> None:
    import anyio  # comes with httpx; asyncio and trio alike

    await anyio.sleep(seconds)


def tell(callback: Callable[[NewsT], object], news: NewsT) -> None:
    callback(news)


async def a_tell(callback: Callable[[NewsT], object], news: NewsT) -> None:
    """Callbacks of async programs may be coroutine functions."""
    answer = callback(news)
    if isinstance(answer, Awaitable):
        await answer


def blocking(function: Callable[..., ResultT], *arguments: object) -> ResultT:
    """The result of a call that may block, such as reading a file."""
    return function(*arguments)


async def a_blocking(function: Callable[..., ResultT], *arguments: object) -> ResultT:
    import anyio.to_thread

    return await anyio.to_thread.run_sync(function, *arguments)

"""Bodies sent piece by piece, mostly while a job runs: their kinds, how many may be open, and for how long."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from types import FrameType
from uuid import UUID

import billing.facade
import speech.facade
from apikit.asgi import Scope
from apikit.facade import Problem
from tenants.facade import SCOPE_KEY, Caller

KEY_CHECK_S = 5.0  # as long as a revoked key may live elsewhere; a silent stream is asked at its heartbeats

Kind = Callable[[Caller, UUID, Mapping[str, str]], AsyncGenerator[bytes, None]]
KINDS: dict[str, Kind] = {
    "sse": speech.facade.event_stream,
    "openai": speech.facade.openai_stream,
    "audio": speech.facade.audio_stream,
    "audio-sse": speech.facade.audio_events,
    "statement": billing.facade.statement_stream,
}


class Streams:
    """The open streams of this process. All on one event loop, so plain counters are enough."""

    def __init__(self, *, limit: int, tenant_limit: int, still_admits: Callable[[Scope], Awaitable[bool]]) -> None:
        self._limit = limit
        self._tenant_limit = tenant_limit
        self._still_admits = still_admits
        self._open: Counter[UUID] = Counter()
        self._senders: set[asyncio.Task[None]] = set()
        self._heeds_signals = False

    def open(self, kind: str, scope: Scope, job_id: UUID, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """A stream that is not begun yet; raises a `Problem` when there are too many."""
        caller: Caller = scope[SCOPE_KEY]
        if self._open[caller.tenant_id] >= self._tenant_limit:
            raise _too_many(429, f"This tenant has {self._tenant_limit} streams open. Close some, or poll instead.")
        if self._open.total() >= self._limit:
            raise _too_many(503, "Too many streams are open here. Come back later, or poll instead.")
        return self._run(KINDS[kind](caller, job_id, query), scope)

    async def _run(self, chunks: AsyncGenerator[bytes, None], scope: Scope) -> AsyncGenerator[bytes, None]:
        """Ends early, without a word, when the key is not good any more: who comes back with it is told why."""
        checked_at = time.monotonic()
        with self._counted(scope[SCOPE_KEY].tenant_id), self._cut_at_the_end():
            async with aclosing(chunks):
                async for chunk in chunks:
                    if time.monotonic() - checked_at >= KEY_CHECK_S:
                        if not await self._still_admits(scope):
                            return
                        checked_at = time.monotonic()
                    yield chunk

    @contextmanager
    def _counted(self, tenant_id: UUID) -> Iterator[None]:
        self._open[tenant_id] += 1
        try:
            yield
        finally:
            self._open[tenant_id] -= 1
            if not self._open[tenant_id]:
                del self._open[tenant_id]

    @contextmanager
    def _cut_at_the_end(self) -> Iterator[None]:
        """When the process is told to stop, the server waits for open answers: a stream must not make it wait."""
        self._heed_signals()
        sender = asyncio.current_task()
        assert sender is not None
        self._senders.add(sender)
        try:
            yield
        finally:
            self._senders.discard(sender)

    def _heed_signals(self) -> None:
        if self._heeds_signals or threading.current_thread() is not threading.main_thread():
            return
        self._heeds_signals, loop = True, asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.getsignal(number)

            def cut(signum: int, frame: FrameType | None, before: object = before) -> None:
                loop.call_soon_threadsafe(self._cut)
                if callable(before):
                    before(signum, frame)

            signal.signal(number, cut)

    def _cut(self) -> None:
        for sender in list(self._senders):
            sender.cancel()


def _too_many(status: int, detail: str) -> Problem:
    return Problem("too_many_streams", status, detail, headers={"Retry-After": "30"})

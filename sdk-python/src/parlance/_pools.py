"""Connections for a thousand waits at once.

httpx's pool looks through all of its connections for every request, so a thousand that are held cost a thousand times a
thousand looks. Several small pools cost little: the first that is not full is taken, so that few calls share few
connections, as in one pool.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from urllib.request import getproxies

import httpx

POOL_SIZE = 5


def pools(limits: httpx.Limits) -> httpx.BaseTransport | None:
    """None, httpx's own: threads are too few to notice."""
    return None


def a_pools(limits: httpx.Limits) -> httpx.AsyncBaseTransport | None:
    """Many small pools; None where a proxy of the environment is to be heeded, which httpx only does by itself."""
    return None if getproxies() else _Pools(limits)


class _Pools(httpx.AsyncBaseTransport):
    def __init__(self, limits: httpx.Limits) -> None:
        self._limits = limits
        self._context = httpx.create_ssl_context()  # reading the certificates takes 20 ms
        self._pools: list[httpx.AsyncHTTPTransport] = []
        self._held: list[int] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        place = self._place()
        self._held[place] += 1
        try:
            response = await self._pools[place].handle_async_request(request)
        except BaseException:
            self._held[place] -= 1
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Held(response.stream, lambda: self._release(place))
        return response

    def _place(self) -> int:
        for place, held in enumerate(self._held):
            if held < POOL_SIZE:
                return place
        self._pools.append(httpx.AsyncHTTPTransport(limits=self._limits, verify=self._context))
        self._held.append(0)
        return len(self._pools) - 1

    def _release(self, place: int) -> None:
        self._held[place] -= 1

    async def aclose(self) -> None:
        for pool in self._pools:
            await pool.aclose()


class _Held(httpx.AsyncByteStream):
    """A body; what it holds is released once, when it is closed."""

    def __init__(self, stream: httpx.AsyncByteStream, release: Callable[[], None]) -> None:
        self._stream = stream
        self._release: Callable[[], None] | None = release

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                yield chunk
        except BaseException:  # cut or canceled: httpx closes only what came to its end
            self._let_go()
            raise

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            release()

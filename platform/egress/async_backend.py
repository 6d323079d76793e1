"""The asyncio twin of `backend.py`: same rules, same order."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore
from httpcore import SOCKET_OPTION

from egress.addresses import parse_address
from egress.deadline import bounded, raise_if_over
from egress.errors import ConnectFailed, UrlBlocked
from egress.guard import CONNECT_TIMEOUT_S, WRITE_CHUNK_BYTES, approve, count_dial, require_peer, share_s
from egress.policy import Policy
from egress.resolver import Resolver, submit, system_resolve
from egress.tunnel import MAX_ANSWER_BYTES, Proxy, connect_request, is_answer_complete


class AsyncGuardedStream(httpcore.AsyncNetworkStream):
    """The async twin of `GuardedStream`."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        try:
            return await self._inner.read(max_bytes, timeout=bounded(timeout))
        except httpcore.ReadTimeout:
            raise_if_over()
            raise

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        for start in range(0, len(buffer), WRITE_CHUNK_BYTES):
            chunk = buffer[start : start + WRITE_CHUNK_BYTES]
            try:
                await self._inner.write(chunk, timeout=bounded(timeout))
            except httpcore.WriteTimeout:
                raise_if_over()
                raise

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> AsyncGuardedStream:
        return AsyncGuardedStream(await self._inner.start_tls(ssl_context, server_hostname, bounded(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class AsyncGuardedBackend(httpcore.AsyncNetworkBackend):
    """The async twin of `GuardedBackend`, for asyncio."""

    def __init__(
        self,
        policy: Policy,
        *,
        resolver: Resolver = system_resolve,
        inner: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncGuardedStream:
        ends_at = time.monotonic() + (bounded(timeout) or CONNECT_TIMEOUT_S)
        self._policy.check_host(host, port=port)
        answers = [host] if parse_address(host) else await self._resolve(host, port=port, ends_at=ends_at)
        numbers = approve(self._policy, host=host, port=port, answers=answers)
        for position, number in enumerate(numbers):
            patience_s = share_s(ends_at, parts=len(numbers) - position)
            try:
                return await self._dial(number, port, patience_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == numbers[-1]:
                    raise
        raise ConnectFailed

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncGuardedStream:
        raise UrlBlocked("scheme")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    async def _resolve(self, host: str, *, port: int, ends_at: float) -> Sequence[str]:
        future = asyncio.wrap_future(submit(self._resolver, host=host, port=port))
        try:
            return await asyncio.wait_for(future, timeout=share_s(ends_at, parts=1))
        except (OSError, UnicodeError):
            raise ConnectFailed from None

    async def _dial(
        self,
        number: str,
        port: int,
        timeout_s: float,
        local_address: str | None,
        options: Iterable[SOCKET_OPTION] | None,
    ) -> AsyncGuardedStream:
        count_dial()
        proxy = self._policy.proxy
        if proxy is not None:
            return await self._tunnel(proxy, number, port, timeout_s, options)
        stream = AsyncGuardedStream(await self._inner.connect_tcp(number, port, timeout_s, local_address, options))
        try:
            require_peer(stream.get_extra_info("server_addr"), number=number)
        except OSError:
            await stream.aclose()
            raise ConnectFailed from None
        except UrlBlocked:
            await stream.aclose()
            raise
        return stream

    async def _tunnel(
        self, proxy: Proxy, number: str, port: int, timeout_s: float, options: Iterable[SOCKET_OPTION] | None
    ) -> AsyncGuardedStream:
        stream = AsyncGuardedStream(await self._inner.connect_tcp(proxy.host, proxy.port, timeout_s, None, options))
        answer = b""
        try:
            await stream.write(connect_request(proxy, number=number, port=port), timeout_s)
            while not is_answer_complete(answer):
                received = await stream.read(MAX_ANSWER_BYTES, timeout_s)
                if not received:
                    raise ConnectFailed
                answer += received
        except (httpcore.TimeoutException, httpcore.NetworkError):
            await stream.aclose()
            raise ConnectFailed from None
        except BaseException:
            await stream.aclose()
            raise
        return stream

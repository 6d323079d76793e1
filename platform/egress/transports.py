"""The guard as httpx transports, for SDKs and engines that bring their own httpx client."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpcore
import httpx

from egress.async_backend import AsyncGuardedBackend
from egress.backend import GuardedBackend
from egress.policy import Policy
from egress.resolver import Resolver, system_resolve
from egress.urls import parse_url


def transport(
    policy: Policy,
    *,
    ssl_context: ssl.SSLContext | None = None,
    resolver: Resolver = system_resolve,
    network: httpcore.NetworkBackend | None = None,
) -> httpx.BaseTransport:
    """Returns a transport for `httpx.Client`; refusals raise `UrlBlocked`, faults httpx's own errors."""
    pool = httpcore.ConnectionPool(
        ssl_context=ssl_context or httpcore.default_ssl_context(),
        max_connections=None,
        max_keepalive_connections=50,
        keepalive_expiry=30.0,
        network_backend=GuardedBackend(policy, resolver=resolver, inner=network),
    )
    return _Transport(policy, pool=pool)


def async_transport(
    policy: Policy,
    *,
    ssl_context: ssl.SSLContext | None = None,
    resolver: Resolver = system_resolve,
    network: httpcore.AsyncNetworkBackend | None = None,
) -> httpx.AsyncBaseTransport:
    """Returns a transport for `httpx.AsyncClient` on asyncio."""
    pool = httpcore.AsyncConnectionPool(
        ssl_context=ssl_context or httpcore.default_ssl_context(),
        max_connections=None,
        max_keepalive_connections=50,
        keepalive_expiry=30.0,
        network_backend=AsyncGuardedBackend(policy, resolver=resolver, inner=network),
    )
    return _AsyncTransport(policy, pool=pool)


class _Transport(httpx.BaseTransport):
    def __init__(self, policy: Policy, *, pool: httpcore.ConnectionPool) -> None:
        self._policy = policy
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._policy.check_target(parse_url(str(request.url)))
        assert isinstance(request.stream, httpx.SyncByteStream)
        with _httpx_errors():
            response = self._pool.handle_request(_core_request(request))
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._pool.close()


class _AsyncTransport(httpx.AsyncBaseTransport):
    def __init__(self, policy: Policy, *, pool: httpcore.AsyncConnectionPool) -> None:
        self._policy = policy
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._policy.check_target(parse_url(str(request.url)))
        assert isinstance(request.stream, httpx.AsyncByteStream)
        with _httpx_errors():
            response = await self._pool.handle_async_request(_core_request(request))
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_AsyncBody(response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _httpx_errors():
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_errors():
            async for chunk in self._response.aiter_stream():
                yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()


def _core_request(request: httpx.Request) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


@contextmanager
def _httpx_errors() -> Iterator[None]:
    # httpcore and httpx give their errors the same public names; a test pins that.
    try:
        yield
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
        kind: type[httpx.TransportError] = getattr(httpx, type(error).__name__)
        raise kind(str(error)) from error

"""The network backend for httpcore that dials only numbers which the policy allows.

The name is resolved once and the number is dialled, so a name that changes its answer in between (DNS
rebinding) gains nothing. TLS stays above: server name and certificate are still those of the host.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore
from httpcore import SOCKET_OPTION

from egress.addresses import parse_address
from egress.deadline import bounded, raise_if_over, tick, until_tick
from egress.errors import ConnectFailed, UrlBlocked
from egress.guard import CONNECT_TIMEOUT_S, WRITE_CHUNK_BYTES, approve, count_dial, require_peer, share_s
from egress.policy import Policy
from egress.resolver import Resolver, submit, system_resolve
from egress.tunnel import MAX_ANSWER_BYTES, Proxy, connect_request, is_answer_complete


class GuardedStream(httpcore.NetworkStream):
    """A stream whose every wait ends with the deadline of the call."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left_s = None if until is None else max(0.0, until - time.monotonic())
            try:
                return self._inner.read(max_bytes, timeout=until_tick(left_s))
            except httpcore.ReadTimeout:
                raise_if_over()
                if not tick(until=until):
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), WRITE_CHUNK_BYTES):
            chunk = buffer[start : start + WRITE_CHUNK_BYTES]
            try:
                self._inner.write(chunk, timeout=bounded(timeout))
            except httpcore.WriteTimeout:
                raise_if_over()
                raise

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> GuardedStream:
        return GuardedStream(self._inner.start_tls(ssl_context, server_hostname, bounded(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class GuardedBackend(httpcore.NetworkBackend):
    """Resolves once, requires every answer to be allowed, dials the number and looks at the peer."""

    def __init__(
        self,
        policy: Policy,
        *,
        resolver: Resolver = system_resolve,
        inner: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._inner = inner or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> GuardedStream:
        ends_at = time.monotonic() + (bounded(timeout) or CONNECT_TIMEOUT_S)
        self._policy.check_host(host, port=port)
        answers = [host] if parse_address(host) else self._resolve(host, port=port, ends_at=ends_at)
        numbers = approve(self._policy, host=host, port=port, answers=answers)
        for position, number in enumerate(numbers):
            patience_s = share_s(ends_at, parts=len(numbers) - position)
            try:
                return self._dial(number, port, patience_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == numbers[-1]:
                    raise
        raise ConnectFailed

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SOCKET_OPTION] | None = None
    ) -> GuardedStream:
        raise UrlBlocked("scheme")

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)

    def _resolve(self, host: str, *, port: int, ends_at: float) -> Sequence[str]:
        future = submit(self._resolver, host=host, port=port)
        try:
            return future.result(timeout=share_s(ends_at, parts=1))
        except (OSError, UnicodeError):
            future.cancel()
            raise ConnectFailed from None

    def _dial(
        self,
        number: str,
        port: int,
        timeout_s: float,
        local_address: str | None,
        options: Iterable[SOCKET_OPTION] | None,
    ) -> GuardedStream:
        count_dial()
        proxy = self._policy.proxy
        if proxy is not None:
            return self._tunnel(proxy, number, port, timeout_s, options)
        stream = GuardedStream(self._inner.connect_tcp(number, port, timeout_s, local_address, options))
        try:
            require_peer(stream.get_extra_info("server_addr"), number=number)
        except OSError:
            stream.close()
            raise ConnectFailed from None
        except UrlBlocked:
            stream.close()
            raise
        return stream

    def _tunnel(
        self, proxy: Proxy, number: str, port: int, timeout_s: float, options: Iterable[SOCKET_OPTION] | None
    ) -> GuardedStream:
        stream = GuardedStream(self._inner.connect_tcp(proxy.host, proxy.port, timeout_s, None, options))
        answer = b""
        try:
            stream.write(connect_request(proxy, number=number, port=port), timeout_s)
            while not is_answer_complete(answer):
                received = stream.read(MAX_ANSWER_BYTES, timeout_s)
                if not received:
                    raise ConnectFailed
                answer += received
        except (httpcore.TimeoutException, httpcore.NetworkError):
            stream.close()
            raise ConnectFailed from None
        except BaseException:
            stream.close()
            raise
        return stream

"""The client that every outgoing call of our own uses."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from egress.deadline import deadline
from egress.policy import Policy
from egress.resolver import Resolver, system_resolve
from egress.urls import parse_url

if TYPE_CHECKING:
    import httpcore

    from egress.download import Download
    from egress.wire import Wire

SPEED_WINDOW_S = 10.0  # long enough for a congested minute's worst pause, short enough to free the worker


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with the first `max_body_bytes` of its body; `truncated` when there was more."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool
    elapsed_ms: int

    def header(self, name: str) -> str | None:
        """Returns the first value of a header, whatever its case."""
        return next((value for key, value in self.headers if key == name.lower()), None)


class Client:
    """Calls URLs within a policy and hard limits; share one per process and policy between threads.

    Environment proxies and netrc are not looked at. Connections to a host are kept alive.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        connect_timeout_s: float = 5.0,
        total_timeout_s: float = 20.0,
        max_body_bytes: int = 16_384,
        speed_window_s: float = SPEED_WINDOW_S,
        ssl_context: ssl.SSLContext | None = None,
        resolver: Resolver = system_resolve,
        network: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._policy = policy
        self._connect_timeout_s = connect_timeout_s
        self._total_timeout_s = total_timeout_s
        self._max_body_bytes = max_body_bytes
        self._speed_window_s = speed_window_s
        self._ssl_context = ssl_context
        self._resolver = resolver
        self._network = network

    def request(
        self,
        method: str,
        *,
        url: str,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        total_timeout_s: float | None = None,
    ) -> Response:
        """Sends one request and returns the answer, redirects included as they are.

        Raises an `EgressError`; the total time covers name, dial, TLS, headers and body.
        """
        from egress.wire import plain_headers, require_identity

        started_at = time.monotonic()
        target = parse_url(url)
        self._policy.check_target(target)
        with (
            deadline(seconds=total_timeout_s or self._total_timeout_s),
            self._wire.open(method, target=target, headers=headers or {}, content=content) as answer,
        ):
            received = plain_headers(answer)
            require_identity(received)
            body, truncated = _capped(answer.iter_stream(), max_bytes=self._max_body_bytes)
        elapsed_ms = round((time.monotonic() - started_at) * 1000)
        return Response(answer.status, received, body, truncated, elapsed_ms)

    def download(
        self,
        url: str,
        *,
        to: Path,
        max_bytes: int,
        total_timeout_s: float = 1800.0,
        min_bytes_per_s: int = 10_000,
        max_redirects: int = 3,
        headers: Mapping[str, str] | None = None,
    ) -> Download:
        """Streams a file to disk; `to` appears only when complete. Raises an `EgressError`.

        Each redirect passes the same guard, and `headers` go to the first origin only.
        """
        from egress.download import DownloadLimits, download

        limits = DownloadLimits(
            max_bytes=max_bytes,
            total_timeout_s=total_timeout_s,
            header_timeout_s=self._total_timeout_s,
            min_bytes_per_s=min_bytes_per_s,
            max_redirects=max_redirects,
            speed_window_s=self._speed_window_s,
        )
        return download(url, to=to, wire=self._wire, policy=self._policy, limits=limits, headers=headers or {})

    def close(self) -> None:
        """Closes idle connections."""
        if "_wire" in self.__dict__:
            self._wire.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def _wire(self) -> Wire:
        # Late, because httpcore costs 0.1 s to import and most processes never call out.
        from egress.wire import Wire

        return Wire(
            self._policy,
            connect_timeout_s=self._connect_timeout_s,
            resolver=self._resolver,
            network=self._network,
            ssl_context=self._ssl_context,
        )


def _capped(chunks: Iterable[bytes], *, max_bytes: int) -> tuple[bytes, bool]:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            return bytes(body[:max_bytes]), True
    return bytes(body), False

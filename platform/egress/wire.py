"""The only place that speaks HTTP: one guarded connection pool, and its faults in our own words."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpcore

from egress.backend import GuardedBackend
from egress.errors import ConnectFailed, ConnectionLost, DeadlineExceeded, TlsFailed, UnsupportedEncoding
from egress.policy import Policy
from egress.resolver import Resolver, system_resolve
from egress.urls import Target

IDLE_CONNECTIONS = 50  # kept for the next call to the same host
IDLE_S = 30.0  # most servers keep an idle connection longer, so we are the one who closes it

# The wire owns these: a caller's value could smuggle a second request or another host.
RESERVED_HEADERS = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "accept-encoding",
        "te",
        "upgrade",
        "expect",
    }
)


class Wire:
    """A pool of guarded keep-alive connections; safe to share between threads, not across a fork."""

    def __init__(
        self,
        policy: Policy,
        *,
        connect_timeout_s: float,
        resolver: Resolver = system_resolve,
        network: httpcore.NetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._pool = httpcore.ConnectionPool(
            # Made once: httpcore would read the certificate store again for every connection (20 ms).
            ssl_context=ssl_context or httpcore.default_ssl_context(),
            max_connections=None,  # bounded by the callers' threads; a slow host must not starve others
            max_keepalive_connections=IDLE_CONNECTIONS,
            keepalive_expiry=IDLE_S,
            network_backend=GuardedBackend(policy, resolver=resolver, inner=network),
        )

    @contextmanager
    def open(
        self,
        method: str,
        *,
        target: Target,
        headers: Mapping[str, str],
        content: bytes | None = None,
        read_timeout_s: float | None = None,
    ) -> Iterator[httpcore.Response]:
        """Yields the answer with its body still unread; leaving early closes the connection."""
        timeouts = {"connect": self._connect_timeout_s, "read": read_timeout_s, "write": None, "pool": None}
        url = httpcore.URL(
            scheme=target.scheme.encode(),
            host=target.host.encode(),
            port=target.port,
            target=target.path.encode(),
        )
        with (
            _own_errors(),
            self._pool.stream(
                method,
                url,
                headers=_with_ours(headers, target=target),
                content=content,
                extensions={"timeout": timeouts},
            ) as response,
        ):
            yield response

    def close(self) -> None:
        self._pool.close()


def _with_ours(headers: Mapping[str, str], *, target: Target) -> list[tuple[str, str]]:
    reserved = [name for name in headers if name.lower() in RESERVED_HEADERS]
    if reserved:
        raise ValueError(f"egress sets these headers itself: {', '.join(sorted(reserved))}")
    return [("Host", target.authority), ("Accept-Encoding", "identity"), *headers.items()]


@contextmanager
def _own_errors() -> Iterator[None]:
    # `from None`: the cause may quote the host, and tracebacks reach logs.
    try:
        yield
    except httpcore.ConnectTimeout:
        raise ConnectFailed from None
    except httpcore.ConnectError as error:
        tls = any(isinstance(cause, ssl.SSLError) for cause in error.args)
        raise (TlsFailed if tls else ConnectFailed) from None
    except httpcore.TimeoutException:
        raise DeadlineExceeded from None
    except httpcore.LocalProtocolError:
        raise ValueError("egress: a header or the method holds characters that HTTP forbids") from None
    except (httpcore.NetworkError, httpcore.ProtocolError):
        raise ConnectionLost from None


def plain_headers(response: httpcore.Response) -> tuple[tuple[str, str], ...]:
    """Returns the header pairs as text with lower-case names, in the order received."""
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers)


def first(headers: tuple[tuple[str, str], ...], name: str) -> str | None:
    """Returns the first value of a lower-case name.

    >>> first((("a", "1"), ("a", "2")), "a")
    '1'
    """
    return next((value for key, value in headers if key == name), None)


def require_identity(headers: tuple[tuple[str, str], ...]) -> None:
    """Raises `UnsupportedEncoding` for a compressed body: 1 MB may unfold to 1 GB."""
    if (first(headers, "content-encoding") or "identity").strip().lower() != "identity":
        raise UnsupportedEncoding

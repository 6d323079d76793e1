"""The way out of Parlance; other packages import only this file.

client = Client(untrusted())
answer = client.request("POST", url=url, headers=headers, content=body)
file = client.download(url, to=path, max_bytes=5_000_000_000)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egress.check import check_url
from egress.client import Client, Response
from egress.deadline import deadline
from egress.errors import (
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    EgressError,
    HttpStatus,
    ResponseTooLarge,
    TlsFailed,
    TooSlow,
    UnsupportedEncoding,
    UrlBlocked,
)
from egress.guard import connect_count
from egress.policy import Policy, operator, untrusted
from egress.resolver import Resolver
from egress.tunnel import Proxy, parse_proxy

if TYPE_CHECKING:
    from egress.download import Download
    from egress.transports import async_transport, transport

__all__ = [
    "Client",
    "ConnectFailed",
    "ConnectionLost",
    "DeadlineExceeded",
    "Download",
    "EgressError",
    "HttpStatus",
    "Policy",
    "Proxy",
    "Resolver",
    "Response",
    "ResponseTooLarge",
    "TlsFailed",
    "TooSlow",
    "UnsupportedEncoding",
    "UrlBlocked",
    "async_transport",
    "check_url",
    "connect_count",
    "deadline",
    "operator",
    "parse_proxy",
    "transport",
    "untrusted",
]


def __getattr__(name: str) -> Any:
    # Late: httpcore and httpx cost 0.1 and 0.3 s to import, and most processes only check URLs.
    if name == "Download":
        from egress.download import Download

        return Download
    if name in {"transport", "async_transport"}:
        from egress import transports

        return getattr(transports, name)
    raise AttributeError(name)

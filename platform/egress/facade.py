"""The way out of Parlance; other packages import only this file.

client = Client(untrusted())
answer = client.request("POST", url=url, headers=headers, content=body)
file = client.download(url, to=path, max_bytes=5_000_000_000)

breaker = Breaker(SharedStore.at(redis_url))
with breaker.guard(BreakerKey("deepgram", region="eu", operation="transcribe"), deadline_s=30, classify=ending_of):
    answer = call_the_provider()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egress.breaker.contracts import (
    Because,
    BreakerKey,
    CircuitOpen,
    Ending,
    Health,
    HeldBack,
    NotNow,
    Outcome,
    RetriesSpent,
)
from egress.check import check_url
from egress.client import Client, Response
from egress.deadline import deadline, scaled_deadline_s, ticking
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
from egress.hedging import Durations, Won, hedged
from egress.policy import Policy, operator, untrusted
from egress.resolver import Resolver
from egress.tunnel import Proxy, parse_proxy

if TYPE_CHECKING:
    from egress.breaker.guard import Breaker
    from egress.breaker.shared import SharedStore
    from egress.download import Download
    from egress.transports import async_transport, transport

__all__ = [
    "Because",
    "Breaker",
    "BreakerKey",
    "CircuitOpen",
    "Client",
    "ConnectFailed",
    "ConnectionLost",
    "DeadlineExceeded",
    "Download",
    "Durations",
    "EgressError",
    "Ending",
    "Health",
    "HeldBack",
    "HttpStatus",
    "NotNow",
    "Outcome",
    "Policy",
    "Proxy",
    "Resolver",
    "Response",
    "ResponseTooLarge",
    "RetriesSpent",
    "SharedStore",
    "TlsFailed",
    "TooSlow",
    "UnsupportedEncoding",
    "UrlBlocked",
    "Won",
    "async_transport",
    "check_url",
    "connect_count",
    "deadline",
    "hedged",
    "operator",
    "parse_proxy",
    "scaled_deadline_s",
    "ticking",
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
    if name == "Breaker":  # and redis as much
        from egress.breaker.guard import Breaker

        return Breaker
    if name == "SharedStore":
        from egress.breaker.shared import SharedStore

        return SharedStore
    raise AttributeError(name)

"""Which URLs may receive events: the untrusted policy, and plain http for the development receivers only."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from egress.facade import Client, Policy, UrlBlocked, check_url, untrusted

MAX_BODY_BYTES = 16_384
TOTAL_TIMEOUT_S = 20.0


@lru_cache(maxsize=1)
def policy() -> Policy:
    """The guard for URLs that tenants chose, from the settings."""
    return untrusted(
        allow=settings.EGRESS_ALLOW, development=settings.MODE == "development", proxy=settings.EGRESS_PROXY
    )


def check_destination(url: str, *, allowed: Policy, resolve: bool) -> None:
    """Raises `UrlBlocked` unless events may go there; `resolve` also looks where the name leads."""
    target = check_url(url, policy=allowed, resolve=resolve)
    if target.scheme != "https" and (target.host, target.port) not in allowed.exact:
        raise UrlBlocked("scheme")


def timeout_s() -> float:
    """Total time of one POST in seconds: always shorter than its lease, so that its result still counts."""
    return min(TOTAL_TIMEOUT_S, float(settings.LEASE_S) * 2 / 3)


def new_client() -> Client:
    """The client of a sender process: no redirects, bounded in time and size."""
    return Client(policy(), total_timeout_s=timeout_s(), max_body_bytes=MAX_BODY_BYTES)

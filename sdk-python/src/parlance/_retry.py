"""Whether and when to try again: pure decisions."""

from __future__ import annotations

import random

import httpx

from parlance._call import Call
from parlance._errors import RETRYABLE_CODES, RETRYABLE_STATUSES, api_error, retry_after_s

FIRST_DELAY_S = 0.5
MAX_DELAY_S = 8.0
MAX_RETRY_AFTER_S = 120.0  # who asks for more gets an error that says so, not a program that seems to hang
# The server never took these, so that even what must not happen twice may be sent again.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
REFUSED = frozenset({429, 503})


def delay_s(attempt: int, *, retry_after: float | None) -> float | None:
    """Seconds before the next attempt (the first is 0), or None when the server wants too long a pause.

    Full jitter over the upper half: clients that failed together do not come back together.
    >>> 0.25 <= delay_s(0, retry_after=None) <= 0.5, 4 <= delay_s(9, retry_after=None) <= 8
    (True, True)
    >>> 3 <= delay_s(0, retry_after=3.0) <= 3.25, delay_s(0, retry_after=3600.0)
    (True, None)
    """
    if retry_after is not None and retry_after > MAX_RETRY_AFTER_S:
        return None
    if retry_after:
        return retry_after + random.random() / 4  # noqa: S311  # spreads load, guards nothing
    longest = min(FIRST_DELAY_S * 2.0**attempt, MAX_DELAY_S)
    return longest * (0.5 + random.random() / 2)  # noqa: S311


def may_repeat(call: Call, error: httpx.TransportError) -> bool:
    """Whether a call that got no answer may be sent again."""
    if isinstance(error, httpx.UnsupportedProtocol | httpx.ProxyError):
        return False
    return call.is_repeatable or isinstance(error, NEVER_SENT)


def wants_repeat(call: Call, response: httpx.Response) -> bool:
    """Whether this answer asks for another attempt, and one may be made."""
    if response.status_code in RETRYABLE_STATUSES:
        return call.is_repeatable or response.status_code in REFUSED
    # Bodies of streamed answers are not read yet; their codes cannot pass by themselves.
    if response.status_code == 409 and response.is_closed:
        return api_error(409, response.content, response.headers).code in RETRYABLE_CODES - {"not_ready"}
    return False


def pause_of(response: httpx.Response) -> float | None:
    return retry_after_s(response.headers)

"""Headers that a tenant adds to its deliveries: which names and values may be sent."""

from __future__ import annotations

import re
from collections.abc import Mapping

from webhooks.errors import HeaderRefused

MAX_HEADERS = 20
MAX_TOTAL_CHARS = 4096  # receivers commonly stop reading at 8 kB of headers, ours included
MASK = "***"

# What frames the message, names its sender or is signed. `authorization` is the tenant's own business.
RESERVED = frozenset(
    {
        "host", "user-agent", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect",
        "accept-encoding", "date", "via", "forwarded", "traceparent", "tracestate",
    }
)  # fmt: skip
RESERVED_PREFIXES = ("content-", "webhook-", "proxy-", "x-forwarded-")

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_VALUE = re.compile(r"[!-~]([ -~]{0,998}[!-~])?")


def check_headers(headers: Mapping[str, str]) -> None:
    """Raises `HeaderRefused` for a header that may not or cannot be sent.

    >>> check_headers({"Authorization": "Bearer abc"})
    >>> check_headers({"Webhook-Id": "mine"})
    Traceback (most recent call last):
    webhooks.errors.HeaderRefused: Webhook-Id is set by us. Choose another name.
    """
    seen: set[str] = set()
    for name, value in headers.items():
        folded = name.lower()
        if not _NAME.fullmatch(name):
            raise HeaderRefused("A header's name is 1 to 64 letters, digits or hyphens. Choose another name.")
        if folded in RESERVED or folded.startswith(RESERVED_PREFIXES):
            raise HeaderRefused(f"{name} is set by us. Choose another name.")
        if folded in seen:
            raise HeaderRefused(f"{name} is there twice. Send it once.")
        if value == MASK:
            raise HeaderRefused(f"The value of {name} is the mask that stands for it. Send the value itself.")
        if not _VALUE.fullmatch(value):
            raise HeaderRefused(f"The value of {name} must be 1 to 1000 printable ASCII characters, no space around.")
        seen.add(folded)
    if len(headers) > MAX_HEADERS or sum(map(len, (*headers, *headers.values()))) > MAX_TOTAL_CHARS:
        raise HeaderRefused(f"At most {MAX_HEADERS} headers of {MAX_TOTAL_CHARS} characters in all. Send fewer.")


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as they are shown later: their names alone."""
    return dict.fromkeys(headers, MASK)

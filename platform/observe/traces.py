"""W3C trace context (https://www.w3.org/TR/trace-context/): taken from the request, kept on the job, sent on."""

from __future__ import annotations

import os
import re

_FORM = re.compile(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")


def traceparent_or_new(header: str | None) -> str:
    """The caller's `traceparent` when it is well formed, else a new one, sampled."""
    if header and _FORM.match(header):
        return header
    return f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"

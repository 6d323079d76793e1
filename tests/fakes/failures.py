"""Every way in which providers fail, and what each engine must make of it: data, whose tests run every row.

A cell is the kind of error: one word for all of the engine's calls, or a word for each of them in their order. `NEVER`:
it cannot happen there, for the reason beside it.
"""

from __future__ import annotations

from typing import Final

NEVER: Final = "-"
ENGINES: Final = ("assemblyai", "deepgram", "google", "openai", "azure")


def _row(*cells: str) -> dict[str, str]:
    return dict(zip(ENGINES, cells, strict=True))


def _all(kind: str) -> dict[str, str]:
    return dict.fromkeys(ENGINES, kind)


# The calls: AssemblyAI's upload, order and two questions; Google's token and recognition; one of all others.
CALLS: Final[dict[str, dict[str, str]]] = {
    "throttled": _all("rate_limited"),  # 429 with Retry-After
    # OpenAI names a time unless somebody has to act.
    "throttled_for_unknown_time": _row("rate_limited", "rate_limited", "rate_limited", "quota", "rate_limited"),
    # Google's token comes with OAuth's errors, which have no code for it.
    "throttled_as_400": _row("rate_limited", "rate_limited", "- rate_limited", "rate_limited", "rate_limited"),
    "broken": _all("transient"),  # 5xx with the provider's own code
    "proxy_error": _all("transient"),  # 5xx with a page
    "no_quota": _row("quota", "quota", "- quota", "quota", "quota"),  # a token costs nothing
    "not_let_in": _all("auth"),
    "mute": _all("timeout"),  # no answer
    "stall": _all("timeout"),  # an answer that stops in its middle
    "reset": _all("transient"),  # a connection that is reset in the middle of the body
    "half_body": _all("transient"),
    "html": _all("transient"),  # junk with status 200
    "empty": _all("transient"),
    "huge": _all("transient"),  # 100 MB with status 200
    # An error inside status 200; AssemblyAI tells of a failure in the transcript only.
    "failed_in_200": _row("- - invalid_input invalid_input", "transient", "transient", "transient", "transient"),
}

# A callback that is lost: the text is asked for, or the part is submitted anew once its provider can only be late.
LOST_CALLBACK: Final = _row("polled", "submitted anew", NEVER, NEVER, NEVER)  # these answer at once
# One that comes twice, and what the second finds.
DOUBLED_CALLBACK: Final = _row("over", "over", NEVER, NEVER, NEVER)


def cells(mode: str, engine: str, *, calls: int) -> list[str]:
    """The expected kind of each of the engine's calls.

    >>> cells("no_quota", "google", calls=2), cells("mute", "google", calls=2)
    (['-', 'quota'], ['timeout', 'timeout'])
    """
    told = CALLS[mode][engine].split()
    return told if len(told) > 1 else told * calls

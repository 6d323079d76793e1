"""Makes the sync twin of async source: the runtime and the resources are written once.

The rules are few because names follow them: `AsyncX` becomes `X`, `a_x` becomes `x`, and the words below.
"""

from __future__ import annotations

import re

INNER = r"[^\[\]]"
for _ in range(3):  # brackets within brackets, three deep
    INNER = rf"(?:[^\[\]]|\[{INNER}*\])"
WORDS = (
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (rf"\bAwaitable\[({INNER}*)\]", r"\1"),
    (r"\bAsyncGenerator\[(.+?), None\]", r"Generator[\1, None, None]"),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\ba_(?=[a-z])", ""),
    (r"\b__a(enter|exit|iter|next)__", r"__\1__"),
    (r"\b(aclose|aread|aiter_bytes|aiter_raw|aiter_lines)\b", lambda found: found[1][1:]),
    (r"\bStopAsyncIteration\b", "StopIteration"),
    (r"\baclosing\b", "closing"),
    (r"\bparlance\._async\b", "parlance._sync"),
    (r"\basynccontextmanager\b", "contextmanager"),
)


def sync(source: str) -> str:
    """
    >>> sync("async def get(self) -> AsyncPage[X]:\\n    await a_sleep(1)")
    'def get(self) -> Page[X]:\\n    sleep(1)'
    """
    for pattern, word in WORDS:
        source = re.sub(pattern, word, source)
    return source

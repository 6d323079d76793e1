"""Values that requests need and that may be a little old: read once in a while instead of by every request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """A value that is read again when it is too old. Two threads may both read it; neither waits for the other.

    >>> numbers = Kept(iter(range(9)).__next__, kept_s=60)
    >>> numbers(), numbers()
    (0, 0)
    """

    def __init__(self, read: Callable[[], Value], *, kept_s: float) -> None:
        self._read = read
        self._kept_s = kept_s
        self._known: tuple[float, Value] | None = None

    def __call__(self) -> Value:
        known = self._known
        if known is None or time.monotonic() - known[0] > self._kept_s:
            known = self._known = (time.monotonic(), self._read())
        return known[1]

    def forget(self) -> None:
        """Read it anew next time."""
        self._known = None

"""What is read from the database for almost every request and seldom changes, kept in the process for seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from tenants.forgetting import forget_on_commit, trusted_s, when_told

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Values by key, forgotten in every process as soon as a change of their topic is committed (`changed`).

    At most `size` of them; `worth` says which are small enough.
    """

    def __init__(self, topic: str, *, size: int, worth: Callable[[Value], bool] = lambda _: True) -> None:
        self._topic, self._size, self._worth = topic, size, worth
        self._known: dict[Key, tuple[float, Value]] = {}
        self._forgotten = 0  # how often: what was read before the last time must not be kept
        when_told(topic, self._forget)

    def get(self, key: Key, read: Callable[[], Value]) -> Value:
        """The value as it was a moment ago, or what `read` finds. Not for a transaction that changes it."""
        known = self._known.get(key)
        if known is not None and time.monotonic() - known[0] <= trusted_s():
            return known[1]
        read_at, forgotten = time.monotonic(), self._forgotten
        value = read()
        if len(self._known) >= self._size:
            self._known.clear()
        if forgotten == self._forgotten and self._worth(value):
            self._known[key] = read_at, value
        return value

    def changed(self, *, using: str = "default") -> None:
        """In the transaction that changes something of the topic."""
        forget_on_commit(using=using, topic=self._topic)

    def _forget(self) -> None:
        self._forgotten += 1
        self._known.clear()

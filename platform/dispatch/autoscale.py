"""What an autoscaler asks: the work of some executors, and how long those who serve them now will take for it.

What counts is seconds, not items: a file of three hours and one of three seconds are both one item of `prepare`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from django.db import connections

from dispatch.gauges import QUEUES, SLOTS_ALIVE

FRESH_S: Final = 2.0  # an autoscaler asks for each of its targets: one look at the database is enough for all


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """What is not finished in one queue: what waits, and what workers have in hand (`busy_items`)."""

    executor: str
    service_class: str
    items: int = 0
    busy_items: int = 0
    audio_ms: int = 0
    work_ms: int = 0
    oldest_s: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """Queues, and the slots of the worker processes that are alive, by executor."""

    queues: Sequence[QueueLoad] = ()
    slots: Mapping[str, int] | None = None

    def of(self, patterns: Iterable[str]) -> Load:
        """Only executors of these patterns."""
        wanted = tuple(patterns)
        slots = {name: count for name, count in (self.slots or {}).items() if is_selected(name, wanted)}
        return Load(tuple(queue for queue in self.queues if is_selected(queue.executor, wanted)), slots)

    @property
    def drain_s(self) -> float | None:
        """Seconds until all of it is done by today's slots; None when there is work and nobody to do it.

        >>> Load([QueueLoad("media", "batch", items=2, work_ms=6000)], {"media": 3}).drain_s
        2.0
        >>> Load([QueueLoad("media", "batch", items=2, work_ms=6000)]).drain_s is None
        True
        """
        work_ms, slots = sum(queue.work_ms for queue in self.queues), sum((self.slots or {}).values())
        if not work_ms:
            return 0.0
        return work_ms / 1000 / slots if slots else None


def is_selected(executor: str, patterns: Iterable[str]) -> bool:
    """Whether the executor is one of these; `*` stands for anything.

    >>> is_selected("cloud:deepgram:global", ["media", "cloud:*"])
    True
    >>> is_selected("pool:base", ["media", "cloud:*"])
    False
    """
    return any(fnmatchcase(executor, pattern) for pattern in patterns)


class LoadReader:
    """Reads the load, at most every `FRESH_S` seconds however many ask. Thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._load, self._read_at = Load(), float("-inf")

    def read(self) -> Load:
        """The load of all executors."""
        with self._guard:
            if time.monotonic() - self._read_at > FRESH_S:
                self._load, self._read_at = _read(), time.monotonic()
            return self._load


def _read() -> Load:
    found: dict[str, dict[str, int]] = {}
    with connections["system"].cursor() as cursor:
        cursor.execute(QUEUES)
        for queue, state, count, work_ms, audio_ms, age_s in cursor.fetchall():
            if state == "waiting":  # a provider works on it, and no worker is held meanwhile
                continue
            told = found.setdefault(queue, dict.fromkeys(("items", "busy_items", "audio_ms", "work_ms", "oldest_s"), 0))
            told["items" if state == "queued" else "busy_items"] += count
            told["audio_ms"] += int(audio_ms)
            told["work_ms"] += int(work_ms)
            told["oldest_s"] = max(told["oldest_s"], int(age_s)) if state == "queued" else told["oldest_s"]
        cursor.execute(SLOTS_ALIVE)
        slots = {executor: int(count) for executor, count in cursor.fetchall()}
    return Load(tuple(_queue_load(queue, told) for queue, told in sorted(found.items())), slots)


def _queue_load(queue: str, told: Mapping[str, int]) -> QueueLoad:
    executor, _, service_class = queue.rpartition("/")
    return QueueLoad(executor, service_class, **told)

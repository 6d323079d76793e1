"""How many items one process runs at once per executor, and which class goes next.

One slot of every executor is closed to `batch`, so that an interactive item never waits behind long work; where
there is only one slot, segments are short instead. Of the service given, `batch` keeps at least a fifth.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from dispatch.contracts import BATCH, INTERACTIVE, ServiceClass

Found = TypeVar("Found")

BATCH_SHARE = 0.2
DECAY = 0.99  # per item: the shares follow about the last hundred items


@dataclass(slots=True)
class Shares:
    """Service given lately to each class."""

    used: dict[ServiceClass, float] = field(default_factory=lambda: {INTERACTIVE: 0.0, BATCH: 0.0})

    def order(self) -> tuple[ServiceClass, ServiceClass]:
        """Interactive first, unless batch is below its share.

        >>> Shares().order()
        ('interactive', 'batch')
        >>> Shares({"interactive": 9.0, "batch": 1.0}).order()
        ('batch', 'interactive')
        """
        owed = self.used[BATCH] < BATCH_SHARE * sum(self.used.values())
        return (BATCH, INTERACTIVE) if owed else (INTERACTIVE, BATCH)

    def give(self, service_class: ServiceClass, cost_ms: int) -> None:
        for name in self.used:
            self.used[name] *= DECAY
        self.used[service_class] += cost_ms


class Slots:
    """The slots of one executor in this process. Thread-safe."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = list(range(count))
        self._guard = threading.Lock()
        self._turn = threading.Condition()
        self._looking = self._turned_away = False
        self._shares = Shares()

    @contextmanager
    def take(self) -> Iterator[int | None]:
        """A slot's number, or None when all are busy: whoever holds them will see the work too."""
        with self._guard:
            # The highest first: slot 0 is the one that batch may not take, so it stays free the longest.
            slot = self._free.pop() if self._free else None
        try:
            yield slot
        finally:
            if slot is not None:
                with self._guard:
                    self._free.append(slot)
                    self._free.sort()

    def look(self, search: Callable[[], Found | None], *, only_if_alone: bool) -> tuple[Found | None, bool]:
        """What the search finds, one thread at a time, and whether others were turned away meanwhile.

        A burst of wake-ups would have every thread look for the same item. One that was just woken goes away when
        another is looking already; that one looks again before it says that there is nothing.
        """
        with self._turn:
            while self._looking:
                if only_if_alone:
                    self._turned_away = True
                    return None, False
                self._turn.wait()
            self._looking, self._turned_away = True, False
        try:
            return self._look_until_sure(search)
        finally:
            with self._turn:
                self._looking = False
                self._turn.notify()

    def _look_until_sure(self, search: Callable[[], Found | None]) -> tuple[Found | None, bool]:
        while True:
            found = search()
            with self._turn:
                if found is not None or not self._turned_away:
                    return found, self._turned_away
                self._turned_away = False

    @property
    def busy(self) -> int:
        """How many items run now."""
        with self._guard:
            return self.count - len(self._free)

    def classes(self, slot: int) -> tuple[ServiceClass, ...]:
        """What may run in this slot now, in order."""
        if slot == 0 and self.count > 1:
            return (INTERACTIVE,)
        with self._guard:
            return self._shares.order()

    def give(self, service_class: ServiceClass, cost_ms: int) -> None:
        with self._guard:
            self._shares.give(service_class, cost_ms)

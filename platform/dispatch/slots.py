"""How many items one process runs at once per executor, and which class goes next.

One slot of every executor is closed to `batch`, so that an interactive item never waits behind long work; where
there is only one slot, segments are short instead. Of the service given, `batch` keeps at least a fifth.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dispatch.contracts import BATCH, INTERACTIVE, ServiceClass

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

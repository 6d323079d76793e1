"""In which order windows of many tenants take the pool's free rows. Pure; constant memory for each tenant.

Start-time fair queueing: of each class the tenant that had least goes next, and one that was idle starts where the
others stand. Within a tenant its parts take turns. Interactive work goes first while batch keeps a fifth.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final, Generic, TypeVar

BATCH_SHARE: Final = 0.2
DECAY: Final = 0.999  # per window: shares follow about the last thousand

Item = TypeVar("Item")


@dataclass(slots=True)
class _Class(Generic[Item]):
    parts: dict[str, deque[deque[Item]]] = field(default_factory=dict)  # by tenant
    had: dict[str, int] = field(default_factory=dict)
    order: list[tuple[int, str]] = field(default_factory=list)  # one entry per tenant with work
    now: int = 0
    used: float = 0.0

    def push(self, items: deque[Item], *, tenant: str) -> None:
        if tenant not in self.parts:
            self.parts[tenant] = deque()
            self.had[tenant] = max(self.had.get(tenant, 0), self.now)
            heappush(self.order, (self.had[tenant], tenant))
        self.parts[tenant].append(items)

    def pop(self, *, cost: int) -> Item:
        self.now, tenant = heappop(self.order)
        parts = self.parts[tenant]
        items = parts.popleft()
        item = items.popleft()
        self.had[tenant] = self.now + cost
        if items:
            parts.append(items)
        if parts:
            heappush(self.order, (self.had[tenant], tenant))
        else:
            del self.parts[tenant]
            self._forget()
        return item

    def _forget(self) -> None:
        """Tenants without work whose turn has passed are like new ones."""
        if len(self.had) > 2 * len(self.parts) + 64:
            self.had = {name: had for name, had in self.had.items() if name in self.parts or had > self.now}


class Turns(Generic[Item]):
    """What waits.

    >>> turns = Turns()
    >>> turns.push(list("aaaa"), tenant="A", interactive=False); turns.push(list("bb"), tenant="B", interactive=False)
    >>> turns.push(["!"], tenant="C", interactive=True)
    >>> "".join(turns)
    '!ababaa'
    """

    def __init__(self) -> None:
        self._interactive, self._batch = _Class[Item](), _Class[Item]()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Item]:
        while self:
            yield self.pop()

    def push(self, items: list[Item], *, tenant: str, interactive: bool) -> None:
        """Windows of one part, in their order."""
        if items:
            (self._interactive if interactive else self._batch).push(deque(items), tenant=tenant)
            self._length += len(items)

    def pop(self, *, cost: int = 1) -> Item:
        """Whose turn it is; raises IndexError when nothing waits."""
        for each in (self._interactive, self._batch):
            each.used *= DECAY
        chosen = self._choose()
        item = chosen.pop(cost=cost)
        chosen.used += cost
        self._length -= 1
        return item

    def _choose(self) -> "_Class[Item]":
        first, last = self._interactive, self._batch
        if not first.order or not last.order:
            return first if first.order else last
        return last if last.used < BATCH_SHARE * (first.used + last.used) else first

"""A job that the process which accepted it does in one go: its first step leased, its end in the same breath."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from dispatch.facade import JobKind, Lease, Worker

Outcome = TypeVar("Outcome")
Fail = Callable[[UUID, UUID, str, str, Lease | None], None]

_never = threading.Event()


def do(lease: Lease, work: Callable[[Lease], Outcome], *, fail: Fail) -> Outcome | None:
    """What `work` gives, or None when it failed: then the job has failed, or a worker tries again."""
    outcomes: list[Outcome] = []

    def run(lease: Lease) -> list[Lease]:
        outcomes.append(work(lease))
        return []

    Worker({lease.kind: JobKind(run=run, fail=fail)}, slots={}, stop=_never).run(lease)
    return outcomes[0] if outcomes else None

"""The inline lane: a waited-for job on an idle lane runs in the process that accepted it, through the same flow."""

from __future__ import annotations

import threading
from functools import lru_cache

from dispatch.facade import Lease, Worker
from speech.kinds import JOB_KINDS


def run(lease: Lease) -> None:
    """Run the leased job to its end, or as far as it goes here; workers take over whatever is left."""
    _worker().run(lease)


@lru_cache(maxsize=1)
def _worker() -> Worker:
    return Worker(JOB_KINDS, slots={}, stop=threading.Event())

"""Threads whose failures are not lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def at_once(*works: Callable[[], object]) -> None:
    """Run all at the same time; raises the first failure once all have ended."""
    with ThreadPoolExecutor(max_workers=len(works)) as pool:
        running = [pool.submit(work) for work in works]
    for each in running:
        each.result()

"""Names to numbers, with an end: getaddrinfo itself takes no timeout."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

Resolver = Callable[[str, int], Sequence[str]]

LOOKUPS_AT_ONCE = 32  # names of dead name servers hold a thread for about 10 s each; others must get through


def system_resolve(host: str, port: int) -> list[str]:
    """Returns the addresses of a name as text, in the system's order; raises OSError when there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def submit(resolver: Resolver, *, host: str, port: int) -> Future[Sequence[str]]:
    """Starts a look-up in its own thread, so that the caller can stop waiting for it."""
    return _threads().submit(resolver, host, port)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="egress-name")


# A forked worker inherits the object but not its threads: look-ups there would wait for ever.
os.register_at_fork(after_in_child=_threads.cache_clear)

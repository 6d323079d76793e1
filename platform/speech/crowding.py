"""Many threads that wait for providers at once, and few connections of the database held meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connections

# So many keep theirs: opening one anew costs some milliseconds, and a hundred idle ones are a whole server's.
KEPT: Final = 12

_waiting = 0
_guard = threading.Lock()


@contextmanager
def waiting() -> Iterator[None]:
    """A call of a provider: above the number that is kept, this thread's connections are closed until its answer."""
    global _waiting
    with _guard:
        _waiting += 1
        crowded = _waiting > KEPT
    if crowded:
        connections.close_all()
    try:
        yield
    finally:
        with _guard:
            _waiting -= 1

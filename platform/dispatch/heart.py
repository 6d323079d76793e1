"""One thread per process extends all of its leases in one statement, and tells items whose lease is gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import Error, connections

from dispatch import claims
from dispatch.contracts import Lease
from observe.facade import get_logger

BEATS_PER_LEASE = 4  # two beats may fail before a lease runs out

log = get_logger(__name__)


class Heart:
    """Keeps leases alive while they are held."""

    def __init__(self) -> None:
        self._held: dict[int, Lease] = {}
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def keep(self, lease: Lease) -> Iterator[Lease]:
        """Extend the lease until the block ends."""
        with self._guard:
            self._held[lease.item_id] = lease
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="heart", daemon=True)
                self._thread.start()
        try:
            yield lease
        finally:
            with self._guard:
                self._held.pop(lease.item_id, None)

    def _run(self) -> None:
        while True:
            self._wake.wait(settings.LEASE_S / BEATS_PER_LEASE)
            with self._guard:
                held = list(self._held.values())
            if held:
                self._beat(held)

    def _beat(self, held: list[Lease]) -> None:
        try:
            claims.extend(held)
        except Error as error:
            # The database may be restarting: the next beat tries again on a new connection.
            log.warning("heartbeat_failed", error=type(error).__name__)
            connections["system"].close()


heart = Heart()

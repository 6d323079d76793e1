"""A system restored from a backup stands still: it is yesterday's, and the world has gone on.

Webhooks that were delivered, jobs that ran and invoices that were pushed since then would be sent, run and pushed
again. So nothing is claimed, sent or accepted until an operator has looked and says `parlance resume`.
"""

from __future__ import annotations

import threading
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, connections

LOOK_EVERY_S = 1.0


def quarantined_since(*, using: str = DEFAULT_DB_ALIAS) -> datetime | None:
    """When the backup was restored; None for a system that works."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT since FROM public.quarantine")
        row = cursor.fetchone()
    return row[0] if row else None


def await_resume(stop: threading.Event) -> bool:
    """Return True once the system may work, at once for one that was not restored; False when `stop` came first."""
    while not stop.is_set():
        if quarantined_since(using="system") is None:
            return True
        stop.wait(LOOK_EVERY_S)
    return False


def resume() -> datetime | None:
    """End the quarantine; every process notices within a second. When it began, or None if there was none."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM public.quarantine RETURNING since")
        row = cursor.fetchone()
    return row[0] if row else None

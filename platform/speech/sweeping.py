"""Removing what killed processes left in the store; the sweeper calls it every hour."""

from __future__ import annotations

from datetime import UTC, datetime

from speech.objects import stale_incoming
from storage.facade import store

STALE_WRITE_S = 86_400.0


def sweep_incoming(*, now: datetime | None = None) -> None:
    """Unfinished writes of yesterday, and files whose request died before it was accepted."""
    store().clear_stale_writes(older_than_s=STALE_WRITE_S)
    for prefix in stale_incoming(now or datetime.now(UTC)):
        store().delete_prefix(prefix)

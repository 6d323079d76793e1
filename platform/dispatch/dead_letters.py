"""Items that failed for good: kept for an operator, who may replay them."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from apikit.ids import new_id
from dispatch.contracts import Lease
from dispatch.models import DeadLetter

_BURY = """INSERT INTO dead_letter (id, job_id, tenant_id, queue, step, ordinal, start_ms, end_ms, attempts, error_code,
 created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now())"""


def is_last_attempt(lease: Lease) -> bool:
    """Whether this attempt was the last allowed."""
    return lease.attempt >= int(settings.MAX_ATTEMPTS)


def bury(lease: Lease, *, code: str) -> None:
    """Keep what an operator needs to run the job again, in the transaction in which it fails; no content."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            _BURY,
            [new_id(), lease.job_id, lease.tenant_id, lease.queue, lease.step, lease.ordinal, lease.start_ms,
             lease.end_ms, lease.attempt, code],
        )  # fmt: skip


def list_dead_letters(*, limit: int = 100, replayed: bool = False) -> list[DeadLetter]:
    """The newest first; those already replayed only on request."""
    rows = DeadLetter.objects.using("system").order_by("-id")
    return list((rows if replayed else rows.filter(replayed_at=None))[:limit])


def take_for_replay(letter_id: UUID) -> DeadLetter | None:
    """Mark a letter as replayed; None when there is no such letter or it was replayed already."""
    with connections["system"].cursor() as cursor:
        cursor.execute("UPDATE dead_letter SET replayed_at = now() WHERE id = %s AND replayed_at IS NULL", [letter_id])
        if not cursor.rowcount:
            return None
    return DeadLetter.objects.using("system").get(pk=letter_id)

"""Erasing everything with content of a closed tenant, once its grace is over (handler of a due date).

Each step may be done again: who is killed between two of them leaves the due date, and the next sweeper begins anew.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from dispatch.facade import drop_all_due_dates, open_jobs
from events.facade import forget_all_events
from observe.facade import failpoint
from speech.kinds import JOB_KINDS
from speech.objects import tenant_prefixes
from storage.facade import store
from tenants.facade import ERASE_DUE, erase_rows

SYSTEM: Final = "system"
CODE: Final = "tenant_closed"
DETAIL: Final = "The tenant was closed and its content erased before the job had ended. Nothing was billed."


class StillWorking(Exception):
    """A worker may still hold a job that has just been ended: come again when its lease is over."""


def erase_tenant(tenant_id: UUID, _subject_id: UUID) -> None:
    """Jobs that still run fail; then objects, schema and data keys go. Raises `StillWorking` after the first of it."""
    running = open_jobs(tenant_id, using=SYSTEM)
    for job_id, kind in running:
        JOB_KINDS[kind].fail(job_id, tenant_id, CODE, DETAIL, None)
    if running:
        raise StillWorking
    drop_all_due_dates(tenant_id, but=ERASE_DUE, using=SYSTEM)
    failpoint("close.due_dates_dropped")
    for prefix in tenant_prefixes(tenant_id, now=datetime.now(UTC)):
        store().delete_prefix(prefix)
    failpoint("close.objects_erased")
    forget_all_events(tenant_id, using=SYSTEM)
    erase_rows(tenant_id)
    failpoint("close.erased")

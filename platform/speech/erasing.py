"""Erasing the content of jobs whose time has come, and the receipt of every erasure (handlers of due dates)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from dispatch.facade import CONTENT_DUE, TERMINAL, JobRow, get_deleted_job, get_job, take_due_date
from events.facade import forget_events, publish
from observe.facade import failpoint
from speech import ending, resources
from speech.closing import IN_TIME, ON_REQUEST, Closing
from speech.contracts import KIND
from speech.objects import job_prefix
from speech.synthesis import ending as speaking
from speech.synthesis.contracts import KIND as SPEECH
from storage.facade import store
from tenants.facade import tenant_context, tenant_ref

SYSTEM: Final = "system"
_ENDS: Final[dict[str, Closing[Any]]] = {KIND: ending.ENDS, SPEECH: speaking.ENDS}
_REASONS: Final = {ON_REQUEST: "request", IN_TIME: "retention"}


def erase(tenant_id: UUID, job_id: UUID) -> None:
    """The job's content has been kept as long as was wanted."""
    with tenant_context(tenant_ref(tenant_id)):
        job = get_job(job_id)
        if job is not None and job.state in TERMINAL:  # else it was deleted, or is being replayed and will end again
            _ENDS[job.kind].delete(job, why=IN_TIME)


def confirm(_tenant_id: UUID, job_id: UUID, *, why: str) -> None:
    """Remove what else tells of the content, then publish the receipt; once, however many try."""
    job = get_deleted_job(job_id, using=SYSTEM)
    if job is None:
        return
    store().delete_prefix(job_prefix(job.tenant_id, job.id))
    failpoint("erase.removed")
    with transaction.atomic(using=SYSTEM):
        if take_due_date(why, subject_id=job.id, using=SYSTEM):
            forget_events(job.id, using=SYSTEM)
            _publish(job, reason=_REASONS[why])


def _publish(job: JobRow, *, reason: str) -> None:
    told = {"deleted_at": resources.stamp(datetime.now(UTC)), "reason": reason}
    publish(
        f"{job.kind}.deleted", tenant_id=job.tenant_id, livemode=job.livemode, subject_id=job.id,
        sequence=job.event_sequence, data=_ENDS[job.kind].shown_deleted(job.id) | told, using=SYSTEM,
    )  # fmt: skip


DUE_HANDLERS = {CONTENT_DUE: erase} | {why: partial(confirm, why=why) for why in _REASONS}

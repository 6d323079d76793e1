"""How every job of this package ends, whatever its kind: register, money, event and rows in one transaction, or none.

What is special to a kind is handed in: its request's table, how it looks, what a cancel leaves, what a deletion erases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import transaction

from billing.facade import Cost, MeasuredLine, release, settle
from dispatch.facade import (
    CONTENT_DUE,
    JobRow,
    Lease,
    LeaseLost,
    add_due_date,
    announce_ended,
    bury,
    drop_due_date,
    end,
    get_job,
    mark_deleted,
)
from events.facade import origin, publish, record_audit
from observe.facade import failpoint
from speech import retention
from speech.contracts import NotCancelable
from speech.destinations import copies
from speech.models import Checkpoint, SpeechRequest, TranscriptionRequest
from speech.objects import job_prefix
from storage.facade import store
from tenants.facade import tenant_context, tenant_ref

KEEP_FAILED_WORK = timedelta(days=7)  # so that an operator can replay a dead letter
WORK_DUE = "job_work"
ON_REQUEST, IN_TIME = "erased_on_request", "erased_in_time"  # due dates too: the receipt, by why it was erased

Request = TypeVar("Request", TranscriptionRequest, SpeechRequest)


@dataclass(frozen=True, slots=True)
class Closing(Generic[Request]):
    """The ends of one kind of job; `kind` is also the first word of its events."""

    kind: str
    requests: type[Request]
    shown: Callable[[JobRow, Request, Cost | None], dict[str, Any]]
    shown_deleted: Callable[[UUID], dict[str, Any]]
    keep_what_was_read: Callable[[JobRow, Request], Cost | None]  # of a canceled job; bills it
    leave: Callable[[JobRow, Request], None]  # those that followed it go on
    erase: Callable[[JobRow, Request], list[str]]  # its rows; gives the keys of objects outside of the job's prefix

    def fail(self, job_id: UUID, tenant_id: UUID, code: str, detail: str, letter: Lease | None = None) -> None:
        """The job failed: nothing is billed, and the customer is told why. A job that has ended stays as it is.

        With `letter`, the lease of an item that failed for good, an operator finds it among the dead letters.
        """
        with tenant_context(tenant_ref(tenant_id)), transaction.atomic():
            ended = end(job_id, state="failed", error_code=code)
            if ended is None:
                return
            if letter is not None:
                bury(letter, code=code)
            request = self._request(job_id)
            request.error = {"code": code, "detail": detail}
            request.save(update_fields=["error"])
            release(job_id)
            shown = self.shown(ended, request, None)
            self.after_end(ended, request, shown=shown, clean_up_at=datetime.now(UTC) + KEEP_FAILED_WORK)

    def cancel(self, job_id: UUID) -> None:
        """Stop now; work under way notices and stops. What the customer had got by then is billed, nothing else.

        Raises `NotCancelable` for a job that has ended.
        """
        with transaction.atomic():
            before = get_job(job_id)
            ended = end(job_id, state="canceled")
            if ended is None:
                raise NotCancelable("not_cancelable", "The job has ended already. There is nothing to cancel.")
            request = self._request(job_id)
            cost = self.keep_what_was_read(ended, request) if ended.readable_ms else None
            if cost is None:
                release(job_id)
            shown = self.shown(ended, request, cost)
            self.after_end(ended, request, shown=shown, clean_up_at=datetime.now(UTC))
            Checkpoint.objects.filter(job_id=job_id).delete()  # those that no follower has taken over
            self._audit(ended, before={"status": before.state if before else ""}, after={"status": ended.state})

    def delete(self, job: JobRow, *, why: str = ON_REQUEST) -> None:
        """Erase the content of an ended job; its row in the register and in the ledger stays.

        Whatever is left of it elsewhere goes within a second, and then an event is the receipt (`erasing`).
        """
        with transaction.atomic():
            request = self._request(job.id)
            strays = self.erase(job, request)
            self.leave(job, request)
            Checkpoint.objects.filter(job_id=job.id).delete()
            request.delete()
            mark_deleted(job.id)
            drop_due_date(CONTENT_DUE, subject_id=job.id)
            add_due_date(why, tenant_id=job.tenant_id, subject_id=job.id, due_at=datetime.now(UTC))
            if why == ON_REQUEST:  # what falls due by itself was decided by whoever set the time
                self._audit(job, before={"status": job.state}, after={"status": "deleted"})
            failpoint("erase.uncommitted")
        # After the commit: were the process to die here, the receipt's due date would still remove the objects.
        store().delete_prefix(job_prefix(job.tenant_id, job.id))
        for key in strays:
            store().delete(key)

    def after_end(self, job: JobRow, request: Request, *, shown: dict[str, Any], clean_up_at: datetime) -> UUID:
        """What follows every end, in its transaction; `shown` is the resource. The id of the event that tells of it."""
        copies.on_end(job, request)
        retention.on_end(job, request)
        event_id = publish(
            f"{self.kind}.{job.state}", tenant_id=job.tenant_id, livemode=job.livemode, subject_id=job.id,
            sequence=job.event_sequence, data=shown,
        )  # fmt: skip
        self.leave(job, request)
        add_due_date(WORK_DUE, tenant_id=job.tenant_id, subject_id=job.id, due_at=clean_up_at)
        announce_ended(job.id)
        return event_id

    def _audit(self, job: JobRow, *, before: dict[str, str], after: dict[str, str]) -> None:
        record_audit(
            f"{self.kind}.{after['status']}", actor=origin().actor, subject=str(job.id), tenant_id=job.tenant_id,
            livemode=job.livemode, before=before, after=after,
        )  # fmt: skip

    def _request(self, job_id: UUID) -> Request:
        return self.requests.objects.get(pk=job_id)


def completed(job: JobRow, *, lease: Lease | None) -> JobRow:
    """The job, completed in this transaction; raises `LeaseLost` for whoever comes second."""
    ended = end(job.id, state="completed", lease=lease)
    if ended is None:
        raise LeaseLost
    return ended


def bill(job: JobRow, lines: Sequence[MeasuredLine], tags: Sequence[str]) -> Cost | None:
    """Settle the hold, entry by entry; None for a test key's job, which costs nothing."""
    cost = settle(
        job.id, tenant_id=job.tenant_id, livemode=job.livemode, api_key_id=job.api_key_id,
        subject_created_at=job.created_at, lines=lines, tags=tags,
    )  # fmt: skip
    return cost if job.livemode else None


def checkpoints_are_joined(job_id: UUID) -> None:
    """The job's result is stored: what its parts left is not needed any more."""
    Checkpoint.objects.filter(job_id=job_id).delete()
    failpoint("finish.uncommitted")

"""A finished job's result copied to the destination that its order named: exactly one object per job, by its name.

The copy is a work item of the job, added in the transaction that completes it: leased, retried and taken over like any
other. It never changes what the job is or costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from django.db import transaction

from apikit import ids
from dispatch.facade import (
    JobRow,
    Lease,
    LeaseLost,
    NewItem,
    RetryLater,
    enqueue,
    next_sequence,
    remove,
    wake_on_commit,
)
from events.facade import publish
from speech.destinations import services, writing
from speech.destinations.contracts import NamedDestination
from speech.destinations.errors import DestinationError
from speech.models import Destination
from tenants.facade import tenant_context, tenant_ref

COPY: Final = "copy"
MEDIA: Final = "media"
COST_MS: Final = 500  # of one executor, at a usual speed of the network; trued up when it is done
DELAYS_S: Final = (2.0, 60.0, 900.0)  # a bucket that is out of order for some minutes must not lose anything

Told = dict[str, Any]


class Request(Protocol):
    """The part of a job's request that a copy needs."""

    destination: Told | None

    def save(self, *, update_fields: list[str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Result:
    """What is copied."""

    chunks: Iterable[bytes]
    content_type: str


def wanted(destination: NamedDestination | None, *, job_id: str, ending: str) -> Told | None:
    """What an order's request keeps of its destination; the key follows from the job alone."""
    if destination is None:
        return None
    return {
        "id": ids.show(ids.DESTINATION, destination.id), "status": "pending",
        "key": f"{destination.prefix}{job_id}.{ending}", "error": None,
    }  # fmt: skip


def on_end(job: JobRow, request: Request) -> None:
    """The job has ended, in this transaction: its result is to be copied, or there is none."""
    if request.destination is None:
        return
    if job.state == "completed":
        enqueue(job, [NewItem(step=COPY, executor=MEDIA, cost_ms=COST_MS)])
        wake_on_commit(MEDIA)
        return
    request.destination = request.destination | {"status": "canceled"}
    request.save(update_fields=["destination"])


def run(
    lease: Lease, job: JobRow, request: Request, *, result: Callable[[], Result], shown: Callable[[], Told]
) -> list[Lease]:
    """Copy it and say so; what may pass is tried again later, anything else is told as the copy's end."""
    assert request.destination is not None
    try:
        _write(lease, request.destination, result=result)
    except DestinationError as error:
        if error.may_pass:
            delay_s = DELAYS_S[min(lease.attempt, len(DELAYS_S)) - 1]
            raise RetryLater(error.code, error.detail, delay_s=delay_s) from error
        end(lease, job, request, error={"code": error.code, "detail": error.detail}, shown=shown)
    else:
        end(lease, job, request, error=None, shown=shown)
    return []


def end(lease: Lease, job: JobRow, request: Request, *, error: Told | None, shown: Callable[[], Told]) -> None:
    """The copy is there, or will never be: on the resource and as an event. Fenced by the lease."""
    assert request.destination is not None
    with transaction.atomic():
        sequence = next_sequence(job.id)
        if sequence is None:
            raise LeaseLost  # the job was deleted
        remove(lease)
        status = "failed" if error else "copied"
        request.destination = request.destination | {"status": status, "error": error}
        request.save(update_fields=["destination"])
        publish(
            f"destination.{status}", tenant_id=job.tenant_id, livemode=job.livemode, subject_id=job.id,
            sequence=sequence, data=shown(),
        )  # fmt: skip


Fail = Callable[[UUID, UUID, str, str, Lease | None], None]


def failing(fail: Fail, *, give_up: Callable[[Lease, str, str], None]) -> Fail:
    """How a kind of job fails, when the last attempt of its copy may be what failed: then the job itself has not."""

    def fail_or_give_up(job_id: UUID, tenant_id: UUID, code: str, detail: str, letter: Lease | None = None) -> None:
        if letter is None or letter.step != COPY:
            fail(job_id, tenant_id, code, detail, letter)
            return
        with tenant_context(tenant_ref(tenant_id)):
            give_up(letter, code, detail)

    return fail_or_give_up


def _write(lease: Lease, told: Told, *, result: Callable[[], Result]) -> None:
    row = Destination.objects.filter(pk=ids.parse(ids.DESTINATION, told["id"]) or UUID(int=0)).first()
    if row is None:
        raise DestinationError("destination_deleted", "The destination was deleted before the copy. Fetch the result.")
    found = result()
    writing.write(
        services.place_of(row), told["key"], chunks=_checked(lease, found.chunks), content_type=found.content_type
    )


def _checked(lease: Lease, chunks: Iterable[bytes]) -> Iterable[bytes]:
    for chunk in chunks:
        lease.check()
        yield chunk

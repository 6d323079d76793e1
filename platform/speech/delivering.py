"""A provider brings a result: it finishes the part that waits for it, through the same flow as a worker that asked.

The first of the two that comes does it. A second delivery finds the call over and changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final, Literal

from django.db import transaction

from dispatch.facade import Attempt, JobKind, Lease, Worker, find_attempt, get_job, hurry, take_waiting, wake_on_commit
from observe.facade import failpoint
from speech import ending, failover, flow, hearing, part_calls, providers
from speech.callbacks import CalledPlace, callback_of
from speech.contracts import KIND, TRANSCRIBE
from speech.engines.errors import CallbackRefused, EngineError
from speech.engines.ports import Heard, Pending
from speech.models import TranscriptionRequest
from tenants.facade import tenant_context, tenant_ref

Delivered = Literal["taken", "over", "not_yet", "refused"]

_never: Final = threading.Event()


def deliver(place: CalledPlace, *, headers: Mapping[str, str], body: bytes) -> Delivered:
    """What became of it: "not_yet" is to be brought again, for the call is not waiting at this moment."""
    with tenant_context(tenant_ref(place.tenant_id)):
        attempt = find_attempt(place.job_id, place.number)
        request = TranscriptionRequest.objects.filter(pk=place.job_id).first()
        if attempt is None or request is None:
            return "over"
        if not attempt.external_id:
            return "not_yet"
        try:
            answer = _read(place, attempt, request, headers=headers, body=body)
        except CallbackRefused:
            return "refused"
        return _hurry(attempt) if isinstance(answer, Pending) else _finish(attempt, answer)


def _read(
    place: CalledPlace, attempt: Attempt, request: TranscriptionRequest, *, headers: Mapping[str, str], body: bytes
) -> Heard | Pending | EngineError:
    cloud = part_calls.hearer_of(request, attempt.engine)
    if cloud is None:
        raise CallbackRefused
    try:
        return cloud.read_callback(
            headers=headers, body=body, callback=callback_of(place.tenant_id, attempt),
            external_id=attempt.external_id, request=part_calls.asked_of(request, attempt=attempt),
        )  # fmt: skip
    except EngineError as error:
        return error


def _hurry(attempt: Attempt) -> Delivered:
    """The result can be asked for: now instead of later."""
    with transaction.atomic():
        waited = hurry(attempt)
        wake_on_commit(providers.executor_of(attempt.engine))
    return "taken" if waited else "over"


def _finish(attempt: Attempt, answer: Heard | EngineError) -> Delivered:
    lease = take_waiting(attempt)
    if lease is None:
        return "not_yet"
    failpoint("callback.taken")

    def run(lease: Lease) -> list[Lease]:
        return _keep(lease, attempt, answer) if lease.step == TRANSCRIBE else flow.run(lease)

    Worker({KIND: JobKind(run=run, fail=ending.ENDS.fail)}, slots={}, stop=_never).run(lease)
    return "not_yet" if find_attempt(attempt.job_id, attempt.number) else "taken"


def _keep(lease: Lease, attempt: Attempt, answer: Heard | EngineError) -> list[Lease]:
    job, request = get_job(lease.job_id), TranscriptionRequest.objects.get(pk=lease.job_id)
    assert job is not None
    try:
        return flow.keep(lease, job, request, hearing.read(lease, job, request, attempt=attempt, answer=answer))
    except hearing.PartFailed as failed:
        failover.after(failed, lease, job, request)
        return []

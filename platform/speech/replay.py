"""Replaying a dead letter: the failed job is opened again, with a new hold, from its first step.

Segments that had been heard keep their checkpoints, whoever heard them; `prepare` cuts and queues the rest.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from billing.facade import place_hold
from dispatch.facade import CONTENT_DUE, drop_due_date, enqueue, reopen, take_for_replay, wake_on_commit
from speech import choosing
from speech.closing import WORK_DUE
from speech.contracts import MEDIA, METER
from speech.flow import first_item
from speech.models import TranscriptionRequest
from speech.options import Options
from tenants.facade import currency_of, tenant_context, tenant_ref


def replay(letter_id: UUID) -> UUID | None:
    """The job that runs again; None when the letter is unknown, replayed, or its job is gone or not failed."""
    letter = take_for_replay(letter_id)
    if letter is None:
        return None
    with tenant_context(tenant_ref(letter.tenant_id)), transaction.atomic():
        job = reopen(letter.job_id)
        if job is None:
            return None
        request = TranscriptionRequest.objects.get(pk=job.id)
        request.error = None
        request.save(update_fields=["error"])
        drop_due_date(WORK_DUE, subject_id=job.id)
        drop_due_date(CONTENT_DUE, subject_id=job.id)
        options = Options.from_json(request.options)
        route = choosing.route_again(request, options)
        place_hold(
            job.id, tenant_id=job.tenant_id, livemode=job.livemode, currency=currency_of(job.tenant_id), meter=METER,
            engines=route.engines, expected=job.measured_ms, api_key_id=job.api_key_id,
        )  # fmt: skip
        enqueue(job, [first_item()])
        wake_on_commit(MEDIA)
    return job.id

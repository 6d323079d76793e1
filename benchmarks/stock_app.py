"""The comparison of `bench_accept`: the same rows through models, in a Ninja view under stock Django ASGI.

It is kinder to itself than to us: the key is looked up once and kept, the URL is not checked, nothing wakes a worker,
no idempotency, and the answer is built from the objects at hand without reading a row.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI, Schema, Status

from apikit import ids
from billing.models import Hold
from dispatch.models import Job, Lane, WorkItem
from speech.models import TranscriptionRequest
from tenants.facade import Caller, authenticate, tenant_context

api = NinjaAPI(docs_url=None, openapi_url=None)


class OrderIn(Schema):
    """What the request asks for."""

    audio_url: str
    engine: str
    metadata: dict[str, str] = {}
    tags: list[str] = []


class JobOut(Schema):
    """What is answered."""

    id: str
    status: str
    created: datetime


@lru_cache(maxsize=100)
def _caller(key: str) -> Caller:
    return authenticate(key, address="127.0.0.1")


@api.post("/transcriptions", response={202: JobOut})
def create(request: HttpRequest, body: OrderIn) -> Any:
    """Job, hold, lane, work item and request in one transaction."""
    caller = _caller(request.headers["Authorization"].removeprefix("Bearer "))
    with tenant_context(caller.tenant), transaction.atomic():
        job = _insert(caller, body)
    return Status(202, JobOut(id=ids.show(ids.TRANSCRIPTION, job.id), status=job.state, created=datetime.now(UTC)))


def _insert(caller: Caller, body: OrderIn) -> Job:
    job = Job.objects.create(
        tenant_id=caller.tenant_id, livemode=caller.livemode, kind="transcription", service_class="batch",
        api_key_id=caller.key_id, deadline_at=datetime.now(UTC) + timedelta(hours=24), price_version=1,
    )  # fmt: skip
    Hold.objects.create(
        job_id=job.id, tenant_id=caller.tenant_id, amount=Decimal("0.000001"), currency=caller.currency,
        book_version=1, on_wallet=False,
    )  # fmt: skip
    lane, _ = Lane.objects.get_or_create(queue="media/batch", tenant_id=caller.tenant_id, livemode=caller.livemode)
    if not lane.active:
        lane.active = True
        lane.save(update_fields=["active"])
    WorkItem.objects.create(job_id=job.id, tenant_id=caller.tenant_id, lane_id=lane.id, step="prepare", cost_ms=500)
    TranscriptionRequest.objects.create(
        job_id=job.id, livemode=caller.livemode, audio_url=body.audio_url, engine=body.engine,
        metadata=body.metadata, tags=body.tags,
    )  # fmt: skip
    return job


urlpatterns = [path("v1/", api.urls)]

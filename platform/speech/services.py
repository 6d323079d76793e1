"""Accepting an order: job, request, hold and first work item in one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apikit import idempotency, ids
from billing.facade import place_hold
from dispatch.facade import (
    BATCH,
    INTERACTIVE,
    JobRow,
    Lease,
    NewJob,
    ServiceClass,
    add_job,
    check_backlog,
    enqueue,
    enqueue_leased,
    get_job,
    wake_on_commit,
)
from observe.facade import failpoint
from speech import flow, pools, tags, twins
from speech.contracts import KIND, METER, SHORT_UPLOAD_BYTES, TranscriptionOrder, UploadUnusable
from speech.models import TranscriptionRequest
from speech.routing import Route, Wishes, choose
from speech.sources import Source, check_webhook_url, source_of
from speech.uploads import use_upload
from storage.facade import store
from tenants.facade import Caller, check_may_start
from webhooks.facade import send_job_events_to

DEADLINE_S = 24 * 3600
RETRY_WINDOW = timedelta(minutes=15)  # an SDK gives up on an attempt after ten, and then waits a few seconds

_ADD_REQUEST = """INSERT INTO transcription_request
 (job_id, livemode, object_key, audio_url, filename, engine, language, options, metadata, tags, presentation, sha256,
  reuse, routing, media, warnings, created_at)
 VALUES (%s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s, %s::jsonb, %s, %s, '{}', '{}', '[]', now())"""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The job of an order. A new one comes with its rows, and with a lease when the inline lane took it: the caller
    must run it now. `replayed`: an idempotency key had made the job before."""

    job_id: UUID
    job: JobRow | None = None
    request: TranscriptionRequest | None = None
    lease: Lease | None = None

    @property
    def replayed(self) -> bool:
        return self.job is None


def accept(caller: Caller, order: TranscriptionOrder, *, idempotency_key: str | None) -> Accepted:
    """Take an order: job, request, hold and first work item in one transaction."""
    check_may_start(caller)
    check_backlog()
    route = _route(caller, order)
    claim = _claim(caller, order, idempotency_key)
    known = idempotency.find(claim) if claim else None
    if known is not None:
        return _replayed(known, order)
    if order.webhook_url is not None:
        check_webhook_url(caller, order.webhook_url)
    try:
        source = source_of(caller, order)
        failpoint("accept.before")
        # Last, for the id is also the job's place in lists: its time must be that of the row.
        return _accept(caller, order, job_id=ids.new_id(), source=source, route=route, claim=claim)
    except UploadUnusable:
        # The same request, sent twice at once: the other one has used the upload, and its job is the answer.
        known = idempotency.find(claim) if claim else None
        if known is None:
            raise
        return _replayed(known, order)


def _replayed(job_id: UUID, order: TranscriptionOrder) -> Accepted:
    """The job that the key made before; a file that came along again is not needed."""
    if order.file is not None:
        store().delete(order.file.object_key)
    return Accepted(job_id=job_id)


def _accept(
    caller: Caller,
    order: TranscriptionOrder,
    *,
    job_id: UUID,
    source: Source,
    route: Route,
    claim: idempotency.Claim | None,
) -> Accepted:
    with transaction.atomic():
        known = idempotency.claim(claim, subject_id=job_id) if claim else None
        if known is not None:
            return _replayed(known, order)
        transaction.on_commit(lambda: failpoint("accept.committed"))
        job = _add_job(caller, order, job_id=job_id, source=source, route=route)
        request = _save_request(caller, order, job_id=job_id, source=source)
        if order.upload_id is not None:
            use_upload(caller, order.upload_id)
        if order.webhook_url is not None:
            send_job_events_to(
                order.webhook_url, tenant_id=caller.tenant_id, livemode=caller.livemode, subject_id=job_id
            )
        inline = _can_be_inline(order, route) or twins.is_answered(request)
        lease = _enqueue(job, inline=inline, weight=caller.weight)
        failpoint("accept.uncommitted")
    return Accepted(job_id=job_id, job=job, request=request, lease=lease)


def _can_be_inline(order: TranscriptionOrder, route: Route) -> bool:
    return order.waited_for and not order.streamed and pools.capabilities_of(route.engines[0]).in_process


def _add_job(caller: Caller, order: TranscriptionOrder, *, job_id: UUID, source: Source, route: Route) -> JobRow:
    version = place_hold(
        job_id, tenant_id=caller.tenant_id, livemode=caller.livemode, currency=caller.currency, meter=METER,
        engines=route.engines, expected=None,
    )  # fmt: skip
    job = NewJob(
        id=job_id, tenant_id=caller.tenant_id, livemode=caller.livemode, kind=KIND,
        service_class=_service_class(order, source), api_key_id=caller.key_id, price_version=version,
        weight=caller.weight, deadline_s=DEADLINE_S, traceparent=order.traceparent,
    )  # fmt: skip
    return add_job(job)


def _enqueue(job: JobRow, *, inline: bool, weight: int) -> Lease | None:
    if inline:
        lease = enqueue_leased(job, flow.first_item(), weight=weight, only_if_idle=True)
        if lease is not None:
            return lease
    enqueue(job, [flow.first_item()], weight=weight)
    wake_on_commit(flow.MEDIA)
    return None


def _save_request(caller: Caller, order: TranscriptionOrder, *, job_id: UUID, source: Source) -> TranscriptionRequest:
    row = TranscriptionRequest(
        job_id=job_id, livemode=caller.livemode, object_key=source.object_key, audio_url=source.audio_url,
        filename=source.filename, engine=order.engine or "", language=order.options.language or "",
        options=order.options.to_json(), metadata=dict(order.metadata), tags=list(order.tags),
        presentation=dict(order.presentation), sha256=source.sha256, reuse=order.reuse,
    )  # fmt: skip
    with connection.cursor() as cursor:  # the hot path: a third of what the same costs through the ORM
        cursor.execute(
            _ADD_REQUEST,
            [job_id, row.livemode, row.object_key, row.audio_url, row.filename, row.engine, row.language,
             json.dumps(row.options), json.dumps(row.metadata), row.tags, json.dumps(row.presentation), row.sha256,
             row.reuse],
        )  # fmt: skip
    tags.add(job_id, livemode=row.livemode, tags=row.tags)
    return row


def _route(caller: Caller, order: TranscriptionOrder) -> Route:
    wishes = Wishes(livemode=caller.livemode, engine=order.engine, options=order.options)
    return choose(wishes, available=pools.available())


def _service_class(order: TranscriptionOrder, source: Source) -> ServiceClass:
    short = source.size_bytes is not None and source.size_bytes <= SHORT_UPLOAD_BYTES
    return INTERACTIVE if order.waited_for or short else BATCH


def _claim(caller: Caller, order: TranscriptionOrder, key: str | None) -> idempotency.Claim | None:
    if key is not None:
        return idempotency.Claim(
            tenant_id=caller.tenant_id, livemode=caller.livemode, route=order.route, key=key,
            fingerprint=idempotency.fingerprint(_asked(order)),
        )  # fmt: skip
    if order.attempt is not None:
        return idempotency.retry_claim(
            tenant_id=caller.tenant_id, livemode=caller.livemode, route=order.route,
            fingerprint=idempotency.fingerprint(_asked(order) | {"api_key": caller.key_id}), attempt=order.attempt,
            joinable=_is_worth_joining,
        )  # fmt: skip
    return None


def _asked(order: TranscriptionOrder) -> dict[str, Any]:
    return {
        "upload_id": order.upload_id, "audio_url": order.audio_url, "file": order.file.sha256 if order.file else None,
        "engine": order.engine, "options": order.options.to_json(), "metadata": dict(order.metadata),
        "tags": order.tags, "webhook_url": order.webhook_url, "reuse": order.reuse,
        "presentation": dict(order.presentation),
    }  # fmt: skip


def _is_worth_joining(job_id: UUID) -> bool:
    """A retry wants the text that an earlier attempt was to bring: of a job that runs, or has just brought it."""
    job = get_job(job_id)
    if job is None or job.state in {"failed", "canceled"}:
        return False
    return job.finished_at is None or datetime.now(UTC) - job.finished_at < RETRY_WINDOW

"""Writes that customers ask for: uploads, and transcriptions from accept to deletion."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
    add_due_date,
    add_job,
    check_backlog,
    enqueue,
    enqueue_leased,
    wake_on_commit,
)
from observe.facade import failpoint
from speech import fetching, flow, pools
from speech.contracts import KIND, METER, SHORT_UPLOAD_BYTES, TranscriptionOrder, UploadUnusable
from speech.models import TranscriptionRequest, Upload
from speech.objects import incoming_key, upload_key
from speech.routing import SIMULATED, Route, Wishes, choose
from storage.facade import ObjectInfo, ObjectMissing, SignedRequest, store
from tenants.facade import Caller, check_may_start, tenant_context, tenant_ref

UPLOAD_LIFE = timedelta(hours=24)
UPLOAD_DUE = "upload"
DEADLINE_S = 24 * 3600
ROUTE = "POST /v1/transcriptions"

_ADD_REQUEST = """INSERT INTO transcription_request
 (job_id, livemode, object_key, audio_url, filename, engine, language, options, metadata, tags, routing, media,
  warnings, created_at)
 VALUES (%s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s, '{}', '{}', '[]', now())"""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the audio is: already under an internal key, or still behind the customer's URL."""

    object_key: str
    audio_url: str
    filename: str
    size_bytes: int | None


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


def create_upload(
    caller: Caller, *, filename: str, content_type: str, size_bytes: int, sha256: str
) -> tuple[Upload, SignedRequest]:
    """A ticket to PUT exactly this file, once, within a day."""
    check_may_start(caller)
    upload_id = ids.new_id()
    row = Upload(
        id=upload_id, livemode=caller.livemode, object_key=upload_key(caller.tenant_id, upload_id), filename=filename,
        content_type=content_type, size_bytes=size_bytes, sha256=sha256, expires_at=datetime.now(UTC) + UPLOAD_LIFE,
    )  # fmt: skip
    ticket = store().presign_put(
        row.object_key, size_bytes=size_bytes, content_type=content_type, sha256_hex=sha256 or None,
        expires_s=int(UPLOAD_LIFE.total_seconds()),
    )  # fmt: skip
    with transaction.atomic():
        row.save(force_insert=True)
        add_due_date(UPLOAD_DUE, tenant_id=caller.tenant_id, subject_id=upload_id, due_at=row.expires_at)
    return row, ticket


def accept(caller: Caller, order: TranscriptionOrder, *, idempotency_key: str | None) -> Accepted:
    """Take an order: job, request, hold and first work item in one transaction."""
    check_may_start(caller)
    check_backlog()
    route = _route(caller, order)
    claim = _claim(caller, order, idempotency_key)
    known = idempotency.find(claim) if claim else None
    if known is not None:
        return _replayed(known, order)
    job_id = ids.new_id()
    try:
        source = _source(caller, order)
        failpoint("accept.before")
        return _accept(caller, order, job_id=job_id, source=source, route=route, claim=claim)
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


def expire_upload(tenant_id: UUID, upload_id: UUID) -> None:
    """An upload's day is over (a due date's handler): file and row go."""

    with tenant_context(tenant_ref(tenant_id)):
        Upload.objects.filter(pk=upload_id).delete()
    store().delete(upload_key(tenant_id, upload_id))


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
            _use_upload(caller, order.upload_id)
        inline = order.waited_for and route.engines[0] == SIMULATED
        lease = _enqueue(job, inline=inline, weight=caller.weight)
        failpoint("accept.uncommitted")
    return Accepted(job_id=job_id, job=job, request=request, lease=lease)


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


def _use_upload(caller: Caller, upload_id: UUID) -> None:
    """Single use. The ticket's URL may still be valid, so what it could bring again goes with the due date."""
    taken = Upload.objects.filter(pk=upload_id, used_at=None).update(used_at=datetime.now(UTC))
    if not taken:
        raise _used()
    # Robust: the job is accepted by then, whatever becomes of the upload.
    transaction.on_commit(lambda: store().delete(upload_key(caller.tenant_id, upload_id)), robust=True)


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
        filename=source.filename, engine=order.engine or "", language=order.language or "",
        options=dict(order.options), metadata=dict(order.metadata), tags=list(order.tags),
    )  # fmt: skip
    with connection.cursor() as cursor:  # the hot path: a third of what the same costs through the ORM
        cursor.execute(
            _ADD_REQUEST,
            [job_id, row.livemode, row.object_key, row.audio_url, row.filename, row.engine, row.language,
             json.dumps(row.options), json.dumps(row.metadata), row.tags],
        )  # fmt: skip
    return row


def _route(caller: Caller, order: TranscriptionOrder) -> Route:
    wishes = Wishes(livemode=caller.livemode, engine=order.engine, language=order.language)
    return choose(wishes, available=pools.available())


def _service_class(order: TranscriptionOrder, source: Source) -> ServiceClass:
    short = source.size_bytes is not None and source.size_bytes <= SHORT_UPLOAD_BYTES
    return INTERACTIVE if order.waited_for or short else BATCH


def _claim(caller: Caller, order: TranscriptionOrder, key: str | None) -> idempotency.Claim | None:
    if key is None:
        return None
    asked = {
        "upload_id": order.upload_id, "audio_url": order.audio_url, "file": order.file.sha256 if order.file else None,
        "engine": order.engine, "language": order.language, "metadata": dict(order.metadata), "tags": order.tags,
        "options": dict(order.options),
    }  # fmt: skip
    return idempotency.Claim(
        tenant_id=caller.tenant_id, livemode=caller.livemode, route=ROUTE, key=key,
        fingerprint=idempotency.fingerprint(asked),
    )  # fmt: skip


def _source(caller: Caller, order: TranscriptionOrder) -> Source:
    """Where the audio is. `prepare` moves it to the job; if no job comes to exist, it goes with its hour."""
    if order.audio_url is not None:
        fetching.check_audio_url(order.audio_url)
        return Source(object_key="", audio_url=order.audio_url, filename="", size_bytes=None)
    if order.file is not None:
        file = order.file
        return Source(object_key=file.object_key, audio_url="", filename=file.filename, size_bytes=file.size_bytes)
    assert order.upload_id is not None
    return _from_upload(caller, order.upload_id)


def _from_upload(caller: Caller, upload_id: UUID) -> Source:
    """Copied to a key that no signed URL reaches: what was checked is what will be heard."""
    row = Upload.objects.filter(pk=upload_id, livemode=caller.livemode).first()
    if row is None:
        raise UploadUnusable("not_found", "There is no such upload. Check upload_id, and the mode of the key.")
    _check_usable(row)
    arrived = store().stat(row.object_key)
    if arrived is None and not Upload.objects.filter(pk=upload_id, used_at=None).exists():
        raise _used()  # by another request, since the row was read
    _check_arrived(row, arrived)
    key = incoming_key(caller.tenant_id)
    try:
        store().copy(row.object_key, to=key)
    except ObjectMissing:
        raise _used() from None  # by another request, since the lines above
    return Source(object_key=key, audio_url="", filename=row.filename, size_bytes=row.size_bytes)


def _check_usable(row: Upload) -> None:
    if row.used_at is not None:
        raise _used()
    if row.expires_at <= datetime.now(UTC):
        raise UploadUnusable("upload_expired", "This upload has expired. Create a new one.")


def _used() -> UploadUnusable:
    return UploadUnusable("upload_used", "This upload was transcribed already. Create a new one.")


def _check_arrived(row: Upload, arrived: ObjectInfo | None) -> None:
    if arrived is None:
        raise UploadUnusable("upload_incomplete", "The file has not arrived. PUT it to the upload's URL first.")
    if arrived.size_bytes != row.size_bytes:
        raise UploadUnusable("upload_incomplete", "The file's size differs from size_bytes. Create a new upload.")

"""Accepting an order: job, request, hold and first work item in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction

from apikit import idempotency, ids
from billing.facade import Quote, quote_hold
from dispatch.facade import (
    BATCH,
    INTERACTIVE,
    Entry,
    JobRow,
    Lease,
    Measured,
    NewJob,
    ServiceClass,
    check_backlog,
    wake_on_commit,
)
from observe.facade import failpoint
from speech import accepting, flow, pools
from speech.contracts import KIND, METER, SHORT_UPLOAD_BYTES, TranscriptionOrder, UploadUnusable
from speech.models import TranscriptionRequest
from speech.routing import Route, Wishes, choose
from speech.sources import Source, source_of
from speech.uploads import use_upload
from storage.facade import store
from tenants.facade import Caller, check_may_start

DEADLINE_S = 24 * 3600

# What may be found out about a recording before its job is accepted: fills in the request and says what it measured.
Measure = Callable[[TranscriptionRequest, Route], Measured | None]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The job of an order. A new one comes with its rows, and with a lease when the inline lane took it: the caller
    must run it now; `measured` is what is known of it already. `replayed`: an idempotency key had made the job before.
    """

    job_id: UUID
    job: JobRow | None = None
    request: TranscriptionRequest | None = None
    lease: Lease | None = None
    measured: Measured | None = None

    @property
    def replayed(self) -> bool:
        return self.job is None


def accept(
    caller: Caller, order: TranscriptionOrder, *, idempotency_key: str | None, measure: Measure | None = None
) -> Accepted:
    """Take an order: job, request, hold and first work item in one transaction.

    `measure` is asked last, once everything else about the order was found good.
    """
    check_may_start(caller)
    check_backlog()
    route = _route(caller, order)
    claim = _claim(caller, order, idempotency_key)
    known = idempotency.find(claim) if claim else None
    if known is not None:
        return _replayed(known, order)
    job_id = ids.new_id()
    try:
        source = source_of(caller, order)
        failpoint("accept.before")
        request = _request(caller, order, job_id=job_id, source=source)
        entry = _entry(caller, order, request=request, route=route, source=source)
        if measure is not None and entry.leased:
            entry = replace(entry, measured=measure(request, route))
        return _accept(caller, order, entry=entry, request=request, route=route, claim=claim)
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
    entry: Entry,
    request: TranscriptionRequest,
    route: Route,
    claim: idempotency.Claim | None,
) -> Accepted:
    with _transaction(order, claim):
        known = idempotency.claim(claim, subject_id=entry.job.id) if claim else None
        if known is not None:
            return _replayed(known, order)
        entry, (job, lease) = _write(caller, entry, request, route=route)
        transaction.on_commit(lambda: failpoint("accept.committed"))
        if order.upload_id is not None:
            use_upload(caller, order.upload_id)
        if lease is None:
            wake_on_commit(flow.MEDIA)
        if transaction.get_connection().in_atomic_block:  # otherwise it is committed by now
            failpoint("accept.uncommitted")
    return Accepted(job_id=job.id, job=job, request=request, lease=lease, measured=entry.measured)


def _transaction(order: TranscriptionOrder, claim: idempotency.Claim | None) -> AbstractContextManager[object]:
    """An order that is one statement is a transaction already: its commit comes along without a round trip."""
    return transaction.atomic() if claim is not None or order.upload_id is not None else nullcontext()


def _write(
    caller: Caller, entry: Entry, request: TranscriptionRequest, *, route: Route
) -> tuple[Entry, tuple[JobRow, Lease | None]]:
    """The order as it came to be: leased if it may be and its lane is idle, else queued like all others."""
    written = accepting.write(entry, request, quote=_quote(caller, entry, route=route))
    if written is not None:
        return entry, written
    _forget_measure(request)
    queued = replace(entry, leased=False, measured=None)
    written = accepting.write(queued, request, quote=_quote(caller, queued, route=route))
    assert written is not None
    return queued, written


def _quote(caller: Caller, entry: Entry, *, route: Route) -> Quote:
    """A known length is held at its price; an unknown one at the least that the dearest engine takes."""
    known = entry.measured
    return quote_hold(
        livemode=caller.livemode, currency=caller.currency, meter=METER,
        engines=(known.engine,) if known else route.engines, expected=known.measured_ms if known else None,
    )  # fmt: skip


def _entry(
    caller: Caller, order: TranscriptionOrder, *, request: TranscriptionRequest, route: Route, source: Source
) -> Entry:
    inline = order.waited_for and pools.capabilities_of(route.engines[0]).in_process
    job = NewJob(
        id=request.job_id, tenant_id=caller.tenant_id, livemode=caller.livemode, kind=KIND,
        service_class=_service_class(order, source), api_key_id=caller.key_id, price_version=None,
        weight=caller.weight, deadline_s=DEADLINE_S, traceparent=order.traceparent,
    )  # fmt: skip
    return Entry(job, flow.first_item(), leased=inline)


def _request(caller: Caller, order: TranscriptionOrder, *, job_id: UUID, source: Source) -> TranscriptionRequest:
    return TranscriptionRequest(
        job_id=job_id, livemode=caller.livemode, object_key=source.object_key, audio_url=source.audio_url,
        filename=source.filename, engine=order.engine or "", language=order.options.language or "",
        options=order.options.to_json(), metadata=dict(order.metadata), tags=list(order.tags),
        presentation=dict(order.presentation), sha256=source.sha256,
    )  # fmt: skip


def _forget_measure(request: TranscriptionRequest) -> None:
    request.media, request.routing, request.warnings = {}, {}, []


def _route(caller: Caller, order: TranscriptionOrder) -> Route:
    wishes = Wishes(livemode=caller.livemode, engine=order.engine, options=order.options)
    return choose(wishes, available=pools.available())


def _service_class(order: TranscriptionOrder, source: Source) -> ServiceClass:
    short = source.size_bytes is not None and source.size_bytes <= SHORT_UPLOAD_BYTES
    return INTERACTIVE if order.waited_for or short else BATCH


def _claim(caller: Caller, order: TranscriptionOrder, key: str | None) -> idempotency.Claim | None:
    if key is None:
        return None
    asked = {
        "upload_id": order.upload_id, "audio_url": order.audio_url, "file": order.file.sha256 if order.file else None,
        "engine": order.engine, "options": order.options.to_json(), "metadata": dict(order.metadata),
        "tags": order.tags, "webhook_url": order.webhook_url, "reuse": order.reuse,
        "presentation": dict(order.presentation),
    }  # fmt: skip
    return idempotency.Claim(
        tenant_id=caller.tenant_id, livemode=caller.livemode, route=order.route, key=key,
        fingerprint=idempotency.fingerprint(asked),
    )  # fmt: skip

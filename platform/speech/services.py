"""Accepting an order: job, request, hold and first work item in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
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
    get_job,
    wake_on_commit,
)
from observe.facade import failpoint
from speech import accepting, choosing, flow, pools, twins
from speech.contracts import KIND, MEDIA, METER, SHORT_UPLOAD_BYTES, TranscriptionOrder, UploadUnusable
from speech.destinations import copies
from speech.models import TranscriptionRequest
from speech.routing import Route, Wishes
from speech.sources import Source, check_webhook_url, source_of
from speech.uploads import use_upload
from storage.facade import store
from tenants.facade import ANY_ENGINE, Caller, RoutingPolicy, check_may_start, narrowed
from webhooks.facade import send_job_events_to

DEADLINE_S = 24 * 3600
RETRY_WINDOW = timedelta(minutes=15)  # an SDK gives up on an attempt after ten, and then waits a few seconds

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
    text_is_wanted: bool = False

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
    if order.webhook_url is not None:
        check_webhook_url(caller, order.webhook_url)
    try:
        source = source_of(caller, order)
        failpoint("accept.before")
        # Now, for the id is also the job's place in lists: its time must be that of the row.
        request = _request(caller, order, job_id=ids.new_id(), source=source)
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
        entry, written = _write(caller, order, entry, request, route=route)
        job, lease = written.job, written.lease
        transaction.on_commit(lambda: failpoint("accept.committed"))
        _note_beside(caller, order, request=request)
        if lease is None:
            wake_on_commit(MEDIA)
        if transaction.get_connection().in_atomic_block:  # otherwise it is committed by now
            failpoint("accept.uncommitted")
    return Accepted(
        job_id=job.id, job=job, request=request, lease=lease, measured=entry.measured,
        text_is_wanted=written.text_is_wanted,
    )  # fmt: skip


def _note_beside(caller: Caller, order: TranscriptionOrder, *, request: TranscriptionRequest) -> None:
    """What only some orders bring along."""
    job_id = request.job_id
    if order.destination is not None:
        shown_id = ids.show(ids.TRANSCRIPTION, job_id)
        request.destination = copies.wanted(order.destination, job_id=shown_id, ending="json")
        TranscriptionRequest.objects.filter(pk=job_id).update(destination=request.destination)
    if order.upload_id is not None:
        use_upload(caller, order.upload_id)
    if order.webhook_url is not None:
        send_job_events_to(order.webhook_url, tenant_id=caller.tenant_id, livemode=caller.livemode, subject_id=job_id)


def _transaction(order: TranscriptionOrder, claim: idempotency.Claim | None) -> AbstractContextManager[object]:
    """An order that is one statement is a transaction already: its commit comes along without a round trip."""
    more = claim is not None or order.upload_id is not None or order.webhook_url is not None
    more = more or order.destination is not None
    return transaction.atomic() if more else nullcontext()


def _write(
    caller: Caller, order: TranscriptionOrder, entry: Entry, request: TranscriptionRequest, *, route: Route
) -> tuple[Entry, accepting.Written]:
    """The order as it came to be: leased if it may be and its lane is idle, else queued like all others."""
    written = accepting.write(entry, request, quote=_quote(caller, entry, route=route))
    if written is not None:
        return entry, written
    request.media, request.routing, request.warnings = {}, _asked_of_routing(caller, order), []
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
        tenant_id=caller.tenant_id, api_key_id=caller.key_id,
    )  # fmt: skip


def _entry(
    caller: Caller, order: TranscriptionOrder, *, request: TranscriptionRequest, route: Route, source: Source
) -> Entry:
    inline = order.waited_for and not order.streamed and pools.capabilities_of(route.engines[0]).in_process
    job = NewJob(
        id=request.job_id, tenant_id=caller.tenant_id, livemode=caller.livemode, kind=KIND,
        service_class=_service_class(order, source), api_key_id=caller.key_id, price_version=None,
        weight=caller.weight, deadline_s=DEADLINE_S, traceparent=order.traceparent,
    )  # fmt: skip
    return Entry(job, flow.first_item(), leased=inline or twins.is_answered(request))


def _request(caller: Caller, order: TranscriptionOrder, *, job_id: UUID, source: Source) -> TranscriptionRequest:
    return TranscriptionRequest(
        job_id=job_id, livemode=caller.livemode, object_key=source.object_key, audio_url=source.audio_url,
        filename=source.filename, engine=order.engine or "", language=order.options.language or "",
        options=order.options.to_json(), metadata=dict(order.metadata), tags=list(order.tags),
        presentation=dict(order.presentation), sha256=source.sha256, reuse=order.reuse,
        routing=_asked_of_routing(caller, order),
    )  # fmt: skip


def _route(caller: Caller, order: TranscriptionOrder) -> Route:
    wishes = Wishes(livemode=caller.livemode, engine=order.engine, options=order.options, policy=_policy(caller, order))
    return choosing.route_of(wishes, currency=caller.currency)


def _policy(caller: Caller, order: TranscriptionOrder) -> RoutingPolicy:
    return narrowed([order.routing or ANY_ENGINE, caller.routing, caller.policies.routing])


def _asked_of_routing(caller: Caller, order: TranscriptionOrder) -> dict[str, Any]:
    """What is needed to choose again when the recording is known: the policy, and in which currency engines compare."""
    policy = _policy(caller, order).stored()
    return {"currency": caller.currency} | ({"policy": policy} if policy else {})


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
        "presentation": dict(order.presentation), "destination": order.destination.id if order.destination else None,
        "routing": order.routing.stored() if order.routing else {},
    }  # fmt: skip


def _is_worth_joining(job_id: UUID) -> bool:
    """A retry wants the text that an earlier attempt was to bring: of a job that runs, or has just brought it."""
    job = get_job(job_id)
    if job is None or job.state in {"failed", "canceled"}:
        return False
    return job.finished_at is None or datetime.now(UTC) - job.finished_at < RETRY_WINDOW

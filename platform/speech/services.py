"""Accepting an order: job, request, hold and first work item in one transaction."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from apikit import idempotency, ids
from apikit.arrays import array
from billing.facade import Quote, quote_hold
from dispatch.facade import BATCH, INTERACTIVE, Entry, JobRow, Lease, Measured, NewJob, ServiceClass
from observe.facade import failpoint
from speech import accepting, choosing, flow, pools, repeats, twins
from speech.accepting import Beside, Content, Draft, Written
from speech.contracts import KIND, METER, SHORT_UPLOAD_BYTES, TranscriptionOrder, UploadUnusable
from speech.destinations import copies
from speech.models import TranscriptionRequest
from speech.routing import Route, Wishes
from speech.sources import Source, source_of
from speech.uploads import content_of, forget_upload
from storage.facade import store
from tenants.facade import ANY_ENGINE, Caller, RoutingPolicy, charge, narrowed
from webhooks.facade import TEXT_IS_WANTED

DEADLINE_S = 24 * 3600

# The order's rows in the statement of `accepting`.
_ASKED = """asked AS (INSERT INTO transcription_request
  (job_id, livemode, object_key, audio_url, filename, engine, language, options, metadata, tags, presentation, sha256,
   reuse, routing, media, warnings, destination, delete_after_s, created_at)
  SELECT %(job_id)s, %(livemode)s, %(object_key)s, %(audio_url)s, %(filename)s, %(wished_engine)s, %(language)s,
   %(options)s::jsonb, %(metadata)s::jsonb, %(tags)s::varchar[], %(presentation)s::jsonb, %(sha256)s,
   %(reuse)s, %(routing)s::jsonb, %(media)s::jsonb, %(warnings)s::jsonb,
   %(destination)s::jsonb, %(delete_after_s)s::bigint, job.at FROM job),
tagged AS (INSERT INTO transcription_tag (livemode, tag, job_id)
  SELECT DISTINCT %(livemode)s, t.tag, %(job_id)s FROM job, unnest(%(tags)s::varchar[]) AS t (tag))"""

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
    claim = repeats.claim_of(
        caller, route=order.route, key=idempotency_key, attempt=order.attempt, asked=lambda: _asked(caller, order)
    )
    beside = Beside(claim, order.upload_id, order.webhook_url)
    known = accepting.check(caller, beside)
    if known is not None:
        return _replayed(caller, known, order)
    route = _route(caller, order)
    try:
        source = source_of(caller, order)
        failpoint("accept.before")
        # Now, for the id is also the job's place in lists: its time must be that of the row.
        request = _request(caller, order, job_id=ids.new_id(), source=source)
        drafts = _drafts(caller, order, request, source=source, route=route, measure=measure)
        written = accepting.accept(caller, drafts, job_id=request.job_id, beside=beside)
    except UploadUnusable:
        # The same request, sent twice at once: the other one has used the upload, and its job is the answer.
        known = idempotency.find(beside.claim) if beside.claim else None
        if known is None:
            raise
        return _replayed(caller, known, order)
    return _accepted(written, request) if isinstance(written, Written) else _replayed(caller, written, order)


def _accepted(written: Written, request: TranscriptionRequest) -> Accepted:
    return Accepted(
        written.job.id, job=written.job, request=request, lease=written.lease, measured=written.entry.measured,
        text_is_wanted=written.told,
    )  # fmt: skip


def _replayed(caller: Caller, job_id: UUID, order: TranscriptionOrder) -> Accepted:
    """The job that the key made before; a file that came along again is not needed."""
    if order.file is not None:
        store().delete(order.file.object_key)
    if order.upload_id is not None:
        forget_upload(caller, order.upload_id)
    return Accepted(job_id=job_id)


def _drafts(
    caller: Caller, order: TranscriptionOrder, request: TranscriptionRequest, *, source: Source, route: Route,
    measure: Measure | None,
) -> Iterator[Draft]:  # fmt: skip
    """Leased to this process if it may be, measured if it can be; queued like all others."""
    queued = Entry(_job(caller, order, request=request, source=source), flow.first_item())
    if _may_run_here(order, request, route):
        measured = measure(request, route) if measure is not None else None
        if measured is not None:
            charge(caller, {"audio_seconds": math.ceil((measured.measured_ms or 0) / 1000)})
        yield _draft(caller, replace(queued, leased=True, measured=measured), request, route=route)
        request.media, request.routing, request.warnings = {}, _asked_of_routing(caller, order), []  # for nothing
    yield _draft(caller, queued, request, route=route)


def _draft(caller: Caller, entry: Entry, request: TranscriptionRequest, *, route: Route) -> Draft:
    content = Content(_ASKED, _request_values(request), told=TEXT_IS_WANTED, tags=request.tags)
    return Draft(entry, content, _quote(caller, entry, route=route))


def _quote(caller: Caller, entry: Entry, *, route: Route) -> Quote:
    """A known length is held at its price; an unknown one at the least that the dearest engine takes."""
    known = entry.measured
    return quote_hold(
        livemode=caller.livemode, currency=caller.currency, meter=METER,
        engines=(known.engine,) if known else route.engines, expected=known.measured_ms if known else None,
        tenant_id=caller.tenant_id, api_key_id=caller.key_id,
    )  # fmt: skip


def _may_run_here(order: TranscriptionOrder, request: TranscriptionRequest, route: Route) -> bool:
    inline = order.waited_for and not order.streamed and pools.capabilities_of(route.engines[0]).in_process
    return inline or twins.is_answered(request)


def _job(caller: Caller, order: TranscriptionOrder, *, request: TranscriptionRequest, source: Source) -> NewJob:
    return NewJob(
        id=request.job_id, tenant_id=caller.tenant_id, livemode=caller.livemode, kind=KIND,
        service_class=_service_class(order, source), api_key_id=caller.key_id, price_version=None,
        weight=caller.weight, deadline_s=DEADLINE_S, traceparent=order.traceparent,
    )  # fmt: skip


def _request(caller: Caller, order: TranscriptionOrder, *, job_id: UUID, source: Source) -> TranscriptionRequest:
    return TranscriptionRequest(
        job_id=job_id, livemode=caller.livemode, object_key=source.object_key, audio_url=source.audio_url,
        filename=source.filename, engine=order.engine or "", language=order.options.language or "",
        options=order.options.to_json(), metadata=dict(order.metadata), tags=list(order.tags),
        presentation=dict(order.presentation), sha256=source.sha256, reuse=order.reuse,
        routing=_asked_of_routing(caller, order), delete_after_s=order.delete_after_s,
        destination=copies.wanted(order.destination, job_id=ids.show(ids.TRANSCRIPTION, job_id), ending="json"),
    )  # fmt: skip


def _request_values(request: TranscriptionRequest) -> dict[str, Any]:
    return {
        "object_key": request.object_key, "audio_url": request.audio_url, "filename": request.filename,
        "wished_engine": request.engine, "language": request.language, "options": json.dumps(request.options),
        "metadata": json.dumps(request.metadata), "tags": array(request.tags),
        "presentation": json.dumps(request.presentation), "sha256": request.sha256, "reuse": request.reuse,
        "routing": json.dumps(request.routing), "media": json.dumps(request.media),
        "warnings": json.dumps(request.warnings), "delete_after_s": request.delete_after_s,
        "destination": json.dumps(request.destination) if request.destination else None,
    }  # fmt: skip


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


def _asked(caller: Caller, order: TranscriptionOrder) -> dict[str, Any]:
    """The whole request; the same file, uploaded again, is the same."""
    return {
        "upload_id": content_of(caller, order.upload_id) if order.upload_id else None,
        "audio_url": order.audio_url, "file": order.file.sha256 if order.file else None,
        "engine": order.engine, "options": order.options.to_json(), "metadata": dict(order.metadata),
        "tags": order.tags, "webhook_url": order.webhook_url, "reuse": order.reuse,
        "delete_after_s": order.delete_after_s,
        "presentation": dict(order.presentation), "destination": order.destination.id if order.destination else None,
        "routing": order.routing.stored() if order.routing else {},
    }  # fmt: skip

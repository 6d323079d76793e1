"""Accepting an order to speak: job, request, hold and first item in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apikit import idempotency, ids
from billing.facade import keep_names, place_hold
from dispatch.facade import (
    BATCH,
    INTERACTIVE,
    JobRow,
    Lease,
    LeaseLost,
    NewJob,
    add_job,
    check_backlog,
    enqueue,
    enqueue_leased,
    start,
    wake_on_commit,
)
from observe.facade import failpoint
from speech import inline
from speech.contracts import MEDIA
from speech.destinations import copies
from speech.models import SpeechRequest
from speech.offers import uses
from speech.sources import check_webhook_url
from speech.synthesis import flow, live, policy, taking_over, twins
from speech.synthesis.contracts import KIND, METER, SYNC_CHARACTERS, SpeechOrder
from speech.synthesis.voices import speaking, spoken_model
from tenants.facade import Caller, charge, check_may_start
from webhooks.facade import send_job_events_to

DEADLINE_S = 24 * 3600
ROUTE = "POST /v1/speech"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The job of an order. A new one comes with a lease when this process is to run it now."""

    job_id: UUID
    replayed: bool = False
    job: JobRow | None = None
    request: SpeechRequest | None = None
    lease: Lease | None = None


def accept(caller: Caller, order: SpeechOrder, *, idempotency_key: str | None) -> Accepted:
    """Take an order."""
    check_may_start(caller)
    check_backlog()
    if order.webhook_url is not None:
        check_webhook_url(caller, order.webhook_url)
    claim = _claim(caller, order, idempotency_key)
    if claim is None or idempotency.find(claim) is None:  # what was accepted before is answered as it was
        charge(caller, {"characters": order.characters})
        policy.check(caller, order)
    job_id = ids.new_id()
    with transaction.atomic():
        known = idempotency.claim(claim, subject_id=job_id) if claim else None
        if known is not None:
            return Accepted(known, replayed=True)
        job = _add_job(caller, order, job_id=job_id)
        request = _save_request(caller, order, job_id=job_id)
        keep_names(caller.tenant_id, order.tags)
        if order.webhook_url is not None:
            send_job_events_to(
                order.webhook_url, tenant_id=caller.tenant_id, livemode=caller.livemode, subject_id=job_id
            )
        inline = (order.waited_for and speaking(order.engine).in_process) or twins.is_answered(request)
        lease = _enqueue(job, inline=inline, weight=caller.weight)
        failpoint("accept.uncommitted")
    _note_use(caller, order.engine)
    return Accepted(job_id, job=job, request=request, lease=lease)


def _note_use(caller: Caller, engine: str) -> None:
    model = spoken_model(engine) if caller.livemode else None
    if model is not None:
        uses.note(caller.tenant_id, engine=engine, model=model.model)


def run_here(accepted: Accepted, *, sends_while_speaking: bool) -> bool:
    """Run what this process is to run; True when its audio is under way, to be sent as it is made."""
    lease, job, request = accepted.lease, accepted.job, accepted.request
    if lease is None or job is None or request is None:
        return False
    if request.timings or not (sends_while_speaking and speaking(request.engine).in_process):
        inline.run(lease)
        return False
    start(job.id, engine=request.engine)
    try:
        return not taking_over.answered(lease, job, request) and live.begin(lease, job, request)
    except LeaseLost:
        return False


def _add_job(caller: Caller, order: SpeechOrder, *, job_id: UUID) -> JobRow:
    """The whole price is known and held at once: the text is here."""
    calls = speaking(order.engine).texts_sent(timings=order.timings is not None)
    version = place_hold(
        job_id, tenant_id=caller.tenant_id, livemode=caller.livemode, currency=caller.currency, meter=METER,
        engines=[order.engine], api_key_id=caller.key_id, expected=order.characters * calls,
    )  # fmt: skip
    short = order.waited_for or order.characters <= SYNC_CHARACTERS
    job = NewJob(
        id=job_id, tenant_id=caller.tenant_id, livemode=caller.livemode, kind=KIND,
        service_class=INTERACTIVE if short else BATCH, api_key_id=caller.key_id, price_version=version,
        weight=caller.weight, deadline_s=DEADLINE_S, traceparent=order.traceparent,
    )  # fmt: skip
    return add_job(job)


def _save_request(caller: Caller, order: SpeechOrder, *, job_id: UUID) -> SpeechRequest:
    warnings = [{"code": w.code, "detail": w.detail} for w in speaking(order.engine).warnings]
    return SpeechRequest.objects.create(
        job_id=job_id, livemode=caller.livemode, text=order.text, said_as=order.said_as, is_ssml=order.is_ssml,
        characters=order.characters, voice=order.voice, engine=order.engine, language=order.language,
        format=order.format, sample_rate_hz=order.sample_rate_hz, speed_permille=order.speed_permille,
        simulate=order.simulate, timings=order.timings or "",
        swaps=[[swap.start, swap.end, swap.said_start, swap.said_end] for swap in order.swaps],
        metadata=dict(order.metadata), tags=list(order.tags), warnings=warnings, reuse=order.reuse,
        destination=copies.wanted(order.destination, job_id=ids.show(ids.SPEECH, job_id), ending=order.format),
        routing={"engine": order.engine, "voice": order.voice, "reasons": dict(order.reasons)},
    )  # fmt: skip


def _enqueue(job: JobRow, *, inline: bool, weight: int) -> Lease | None:
    lease = enqueue_leased(job, flow.first_item(), weight=weight, only_if_idle=True) if inline else None
    if lease is None:
        enqueue(job, [flow.first_item()], weight=weight)
        wake_on_commit(MEDIA)
    return lease


def _claim(caller: Caller, order: SpeechOrder, key: str | None) -> idempotency.Claim | None:
    if key is None:
        return None
    asked = {
        "text": order.text, "voice": order.voice_asked or order.voice, "format": order.format,
        "rate": order.sample_rate_hz, "speed": order.speed_permille, "simulate": order.simulate,
        "metadata": dict(order.metadata), "tags": order.tags, "webhook_url": order.webhook_url, "reuse": order.reuse,
        "timings": order.timings, "destination": order.destination.id if order.destination else None,
    }  # fmt: skip
    return idempotency.Claim(
        tenant_id=caller.tenant_id, livemode=caller.livemode, route=ROUTE, key=key,
        fingerprint=idempotency.fingerprint(asked),
    )  # fmt: skip

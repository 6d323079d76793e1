"""Accepting an order to speak: job, request, hold and first item in one statement, with a look into the cache."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from apikit import ids
from apikit.arrays import array
from billing.facade import quote_hold
from dispatch.facade import BATCH, INTERACTIVE, Entry, JobRow, Lease, Measured, NewJob
from speech import accepting, repeats
from speech.accepting import Beside, Content, Draft, Written
from speech.contracts import MEDIA
from speech.destinations import copies
from speech.flow import executor_for
from speech.models import SpeechRequest, SpokenAudio
from speech.offers import uses
from speech.reuse import LEAD_AT_ONCE
from speech.synthesis import flow, live, policy, twins
from speech.synthesis.beginning import first_item
from speech.synthesis.contracts import KIND, METER, SYNC_CHARACTERS, SpeechOrder
from speech.synthesis.voices import speaking, spoken_model
from tenants.facade import Caller, charge

DEADLINE_S = 24 * 3600
ROUTE = "POST /v1/speech"

# The order's rows in the statement of `accepting`, and whether the same was said before or is being said.
_ASKED = """asked AS (INSERT INTO speech_request
  (job_id, livemode, text, said_as, is_ssml, characters, voice, engine, language, format, sample_rate_hz,
   speed_permille, style, simulate, timings, swaps, destination, metadata, tags, routing, warnings, reuse,
   delete_after_s, created_at)
  SELECT %(job_id)s, %(livemode)s, %(text)s, %(said_as)s, %(is_ssml)s, %(characters)s, %(voice)s, %(spoken_by)s,
   %(language)s, %(format)s, %(sample_rate_hz)s, %(speed_permille)s, %(style)s, %(simulate)s, %(timings)s,
   %(swaps)s::jsonb, %(destination)s::jsonb, %(metadata)s::jsonb, %(tags)s::varchar[],
   %(routing)s::jsonb, %(warnings)s::jsonb, %(reuse)s, %(delete_after_s)s::bigint, job.at FROM job),
"""
_TWIN = """(SELECT jsonb_build_object('leads', EXISTS (SELECT FROM led), 'twin', (SELECT to_jsonb(a)
  FROM shared_result s JOIN spoken_audio a ON a.job_id = s.job_id
  WHERE s.livemode = %(livemode)s AND s.fingerprint = %(fingerprint)s::bytea AND s.leads)))"""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The job of an order. A new one comes with its rows, and with a lease when this process is to run it now.

    `leads`: nobody else has said the same, as far as anybody may share; `twin` is the file of one who has. `replayed`:
    an idempotency key had made the job before.
    """

    job_id: UUID
    job: JobRow | None = None
    request: SpeechRequest | None = None
    lease: Lease | None = None
    leads: bool = False
    twin: SpokenAudio | None = None

    @property
    def replayed(self) -> bool:
        return self.job is None


def accept(caller: Caller, order: SpeechOrder, *, idempotency_key: str | None) -> Accepted:
    """Take an order."""
    claim = repeats.claim_of(
        caller, route=ROUTE, key=idempotency_key, attempt=order.attempt, asked=lambda: _asked(order)
    )
    beside = Beside(claim, webhook_url=order.webhook_url)
    known = accepting.check(caller, beside)
    if known is not None:
        return Accepted(known)
    charge(caller, {"characters": order.characters})
    policy.check(caller, order)
    request = _request(caller, order, job_id=ids.new_id())
    drafts = _drafts(caller, order, request)
    written = accepting.accept(caller, drafts, job_id=request.job_id, beside=beside)
    _note_use(caller, order.engine)
    return _accepted(written, request) if isinstance(written, Written) else Accepted(written)


def _note_use(caller: Caller, engine: str) -> None:
    model = spoken_model(engine) if caller.livemode else None
    if model is not None:
        uses.note(caller.tenant_id, engine=engine, model=model.model)


def _accepted(written: Written, request: SpeechRequest) -> Accepted:
    told = json.loads(written.told)
    twin = _twin(told["twin"]) if told["twin"] else None
    leads = told["leads"] or not request.reuse
    return Accepted(written.job.id, written.job, request, written.lease, leads=leads, twin=twin)


def _twin(row: dict[str, Any]) -> SpokenAudio:
    moments = {name: datetime.fromisoformat(row[name]) for name in ("used_at", "created_at")}
    return SpokenAudio(**row | moments | {"job_id": UUID(row["job_id"])})


def _drafts(caller: Caller, order: SpeechOrder, request: SpeechRequest) -> Iterator[Draft]:
    """Leased to this process if it may be, else queued. The whole price is known and held at once: the text is here."""
    calls = speaking(order.engine).texts_sent(timings=order.timings is not None)
    quote = quote_hold(
        livemode=caller.livemode, currency=caller.currency, meter=METER, engines=[order.engine],
        expected=order.characters * calls, tenant_id=caller.tenant_id, api_key_id=caller.key_id,
    )  # fmt: skip
    content = Content(_ASKED + LEAD_AT_ONCE, _request_values(request), told=_TWIN, tags=request.tags)
    queued = Entry(_job(caller, order, job_id=request.job_id), first_item())
    for executor in _runs_here_as(order, request):
        begun = Measured(order.engine, executor, flow.cost_ms(order.engine, characters=order.characters))
        item = replace(queued.item, executor=executor)
        yield Draft(replace(queued, item=item, leased=True, measured=begun), content, quote)
    yield Draft(queued, content, quote)


def _runs_here_as(order: SpeechOrder, request: SpeechRequest) -> Iterator[str]:
    """The executors whose work this process would do, if their lanes let it; none for what belongs to workers."""
    if order.waited_for and live.may_speak(request):
        yield executor_for(order.engine)
    if twins.is_answered(request):
        yield MEDIA


def _job(caller: Caller, order: SpeechOrder, *, job_id: UUID) -> NewJob:
    short = order.waited_for or order.characters <= SYNC_CHARACTERS
    return NewJob(
        id=job_id, tenant_id=caller.tenant_id, livemode=caller.livemode, kind=KIND,
        service_class=INTERACTIVE if short else BATCH, api_key_id=caller.key_id, price_version=None,
        weight=caller.weight, deadline_s=DEADLINE_S, traceparent=order.traceparent,
    )  # fmt: skip


def _request(caller: Caller, order: SpeechOrder, *, job_id: UUID) -> SpeechRequest:
    warnings = [{"code": w.code, "detail": w.detail} for w in speaking(order.engine).warnings]
    return SpeechRequest(
        job_id=job_id, livemode=caller.livemode, text=order.text, said_as=order.said_as, is_ssml=order.is_ssml,
        characters=order.characters, voice=order.voice, engine=order.engine, language=order.language,
        format=order.format, sample_rate_hz=order.sample_rate_hz, speed_permille=order.speed_permille,
        style=order.style, simulate=order.simulate, timings=order.timings or "",
        swaps=[[swap.start, swap.end, swap.said_start, swap.said_end] for swap in order.swaps],
        metadata=dict(order.metadata), tags=list(order.tags), warnings=warnings, reuse=order.reuse,
        delete_after_s=order.delete_after_s,
        destination=copies.wanted(order.destination, job_id=ids.show(ids.SPEECH, job_id), ending=order.format),
        routing={
            "engine": order.engine, "voice": order.voice, "reasons": dict(order.reasons), "others": order.others,
        },
    )  # fmt: skip


def _request_values(request: SpeechRequest) -> dict[str, Any]:
    mark = twins.mark_of(request)
    return {
        "text": request.text, "said_as": request.said_as, "is_ssml": request.is_ssml, "characters": request.characters,
        "voice": request.voice, "spoken_by": request.engine, "language": request.language, "format": request.format,
        "sample_rate_hz": request.sample_rate_hz, "speed_permille": request.speed_permille, "style": request.style,
        "simulate": request.simulate, "timings": request.timings, "swaps": json.dumps(request.swaps),
        "destination": json.dumps(request.destination) if request.destination else None,
        "metadata": json.dumps(request.metadata), "tags": array(request.tags),
        "routing": json.dumps(request.routing), "warnings": json.dumps(request.warnings), "reuse": request.reuse,
        "delete_after_s": request.delete_after_s,
        "fingerprint": mark.digest if mark else None,
    }  # fmt: skip


def _asked(order: SpeechOrder) -> dict[str, Any]:
    """The whole request, in its own words."""
    return {
        **order.asked, "text": order.text, "format": order.format, "speed": order.speed_permille, "style": order.style,
        "simulate": order.simulate,
        "metadata": dict(order.metadata), "tags": order.tags, "webhook_url": order.webhook_url, "reuse": order.reuse,
        "timings": order.timings, "delete_after_s": order.delete_after_s,
        "destination": order.destination.id if order.destination else None,
    }  # fmt: skip

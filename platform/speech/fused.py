"""A short file that is waited for, heard by an engine that answers at once: decoded before it is accepted.

It is the job of `flow` in two commits instead of five. The first writes the job as it stands then: running, its length
measured and held, its first step leased to this process. The second finishes it. Nothing lies between them but the
engine's call; if this process dies there, the lease runs out and a worker does the job from that same first step.
Whatever is out of the ordinary (several parts or channels, a range, silence, a file that cannot be decoded) goes the
ordinary way, from the same source.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import lru_cache, partial
from uuid import UUID

from dispatch.facade import Lease, Measured
from observe.facade import failpoint
from speech import at_once, ending, fetching, flow, planning, pools
from speech.audio.errors import MediaError
from speech.audio.media import Audio, MediaLimits
from speech.audio.pcm import PcmRange
from speech.contracts import SHORT_AUDIO_MS, TranscriptionOrder
from speech.models import TranscriptionRequest
from speech.queries import Found
from speech.routing import Route
from speech.services import Accepted
from speech.workspace import Scratch

BUSY_S = 1.0  # so long after a lane was found busy nothing is decoded ahead for it: the work would be done twice
DECODE_S = 10.0  # what takes longer is taken over by a worker, which may take its time

_busy: dict[tuple[UUID, bool], float] = {}


def measure(
    request: TranscriptionRequest, route: Route, *, tenant_id: UUID, order: TranscriptionOrder, scratch: Scratch
) -> Measured | None:
    """Decode the order's file and note what was found out; None when it has to go the ordinary way."""
    if not _is_plain(order) or _is_busy(tenant_id, livemode=request.livemode):
        return None
    begun_s, engine = time.monotonic(), route.engines[0]
    audio = _decoded(order, scratch)
    plan = planning.whole(audio, engine=engine) if audio else None
    if audio is None or plan is None:
        return None
    flow.note_audio(request, tenant_id=tenant_id, audio=audio, route=route, plan=plan)
    failpoint("fused.decoded")
    expected_ms = (time.monotonic() - begun_s) * 1000 + plan.wanted_ms / pools.capabilities_of(engine).rtfx
    return Measured(engine, flow.executor_for(engine), max(1, round(expected_ms)), plan.wanted_ms)


def run(accepted: Accepted, *, order: TranscriptionOrder, scratch: Scratch) -> Found | None:
    """Hear it and finish the job: the ended job as it was written, or None when it did not end here or not well."""
    begun_s = time.monotonic()
    hear = partial(_heard, accepted, order=order, scratch=scratch, begun_s=begun_s)
    assert accepted.lease is not None
    return at_once.do(accepted.lease, hear, fail=ending.ENDS.fail)


def note_busy(tenant_id: UUID, *, livemode: bool) -> None:
    """The lane took no work of this process just now."""
    _busy[tenant_id, livemode] = time.monotonic() + BUSY_S


def _heard(
    accepted: Accepted, lease: Lease, *, order: TranscriptionOrder, scratch: Scratch, begun_s: float
) -> Found | None:
    job, request, measured = accepted.job, accepted.request, accepted.measured
    assert job is not None
    assert request is not None
    assert measured is not None
    assert measured.measured_ms is not None
    samples = PcmRange(scratch.path("pcm"), start_ms=0, end_ms=measured.measured_ms)
    transcript = flow.call_engine(measured.engine, samples, options=order.options, lease=lease)
    failpoint("fused.heard")
    found = None
    if accepted.text_is_wanted:  # the event of its end has a second body then
        ending.complete(lease, job, request, transcript)
    else:
        found = ending.complete_at_once(lease, job, request, transcript, begun_s=begun_s)
    failpoint("finish.committed")
    return found


def _is_plain(order: TranscriptionOrder) -> bool:
    """A whole small file, of which nothing but its text is wanted."""
    options = order.options
    special = options.multichannel or options.audio_start_ms or options.audio_end_ms or options.speech_threshold
    content = order.file.content if order.file else None
    return content is not None and not (special or order.reuse or order.webhook_url or order.destination)


def _is_busy(tenant_id: UUID, *, livemode: bool) -> bool:
    until = _busy.get((tenant_id, livemode))
    if until is None:
        return False
    if until < time.monotonic():
        _busy.pop((tenant_id, livemode), None)
        return False
    return True


def _decoded(order: TranscriptionOrder, scratch: Scratch) -> Audio | None:
    """The file as samples; None for one that is too long, damaged beyond use or none at all: `flow` finds the words."""
    assert order.file is not None
    assert order.file.content is not None
    source, samples = scratch.path("source"), scratch.path("pcm")
    source.write_bytes(order.file.content)
    try:
        with pools.decoders.lend() as decoder:
            return decoder.decode(
                source, pcm_out=samples, levels_out=scratch.path("levels"), limits=_limits(), deadline_s=DECODE_S
            )
    except MediaError:
        return None


@lru_cache(maxsize=1)
def _limits() -> MediaLimits:
    return replace(
        fetching.media_limits(), max_duration_ms=min(SHORT_AUDIO_MS, fetching.media_limits().max_duration_ms)
    )

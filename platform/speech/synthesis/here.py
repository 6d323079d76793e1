"""What the process that accepted an order does with it at once: a cache hit, a short text, or a stream begun."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

from dispatch.facade import Lease, LeaseLost, executor_of
from observe.facade import failpoint
from speech import at_once, inline
from speech.audio.encoding import is_as_spoken, wav_header
from speech.contracts import MEDIA
from speech.models import SpeechRequest, SpokenAudio
from speech.synthesis import ending, flow, joining, keeping, live, making, taking_over
from speech.synthesis.queries import Found
from speech.synthesis.services import Accepted
from speech.synthesis.voices import speaking, voice_by_id
from storage.facade import ObjectMissing, store


@dataclass(frozen=True, slots=True)
class Done:
    """The job has ended here; its file, if it is at hand."""

    found: Found
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Its audio is to be sent as it is made."""


def run(accepted: Accepted) -> Done | UnderWay | None:
    """Run what this process is to run; None for what is left to workers, or did not go well."""
    lease, job, request = accepted.lease, accepted.job, accepted.request
    if lease is None or job is None or request is None:
        return None
    goes_short = not (request.timings or request.destination)
    done = _taken_over(accepted, lease) if accepted.twin and goes_short else None
    if done is not None:
        return done
    if request.timings or executor_of(lease.queue) == MEDIA:
        inline.run(lease)  # nobody waits for it while it is made
        return None
    try:
        if not accepted.leads and taking_over.answered(lease, job, request):
            return None
        if goes_short and _comes_at_once(request):
            return at_once.do(lease, partial(_spoken, accepted, begun_s=time.monotonic()), fail=ending.ENDS.fail)
        live.expect(lease, job, request)
        return UnderWay()
    except LeaseLost:
        return None


def _taken_over(accepted: Accepted, lease: Lease) -> Done | None:
    """The same was said before: its file is the answer. None when it is gone, and has to be made again."""
    begun_s, job, request, twin = time.monotonic(), accepted.job, accepted.request, accepted.twin
    assert job is not None
    assert request is not None
    assert twin is not None
    try:
        audio = ending.adopted(job, request, twin=twin, token=lease.token)
    except ObjectMissing:
        SpokenAudio.objects.filter(pk=twin.job_id).delete()  # a row without its file is no result
        return None
    keeping.note_use(twin)

    def finish(lease: Lease) -> Done:
        return Done(ending.complete_at_once(lease, job, request, audio=audio, begun_s=begun_s))

    return at_once.do(lease, finish, fail=ending.ENDS.fail)


def _comes_at_once(request: SpeechRequest) -> bool:
    """One part in a format that needs no encoder: all of it is there before a stream could begin."""
    rate_hz = voice_by_id(request.voice).sample_rate_hz
    in_process = speaking(request.engine).in_process
    plain = in_process and is_as_spoken(joining.format_of(request), rate_in=rate_hz, rate_out=request.sample_rate_hz)
    return plain and len(making.parts(request)) == 1


def _spoken(accepted: Accepted, lease: Lease, *, begun_s: float) -> Done:
    job, request = accepted.job, accepted.request
    assert job is not None
    assert request is not None
    rate_hz = voice_by_id(request.voice).sample_rate_hz
    with flow.engine_faults():
        samples = b"".join(joining.eased(flow.spoken(lease, request, request.voiced), rate_hz=rate_hz))
    body = wav_header(rate_hz=rate_hz, data_bytes=len(samples)) + samples if request.format == "wav" else samples
    duration_ms = len(samples) // 2 * 1000 // rate_hz
    audio = ending.audio_row(job, request, token=lease.token, size_bytes=len(body), duration_ms=duration_ms)
    store().put_bytes(audio.object_key, data=body, content_type=audio.content_type)
    failpoint("live.read")
    found = ending.complete_at_once(lease, job, request, audio=audio, begun_s=begun_s)
    failpoint("finish.committed")
    return Done(found, body)

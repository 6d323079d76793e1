"""Where the times of a finished speech job are kept: beside its file, made and erased with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from dispatch.facade import JobRow, Lease
from speech.engines.speaking import Mark, Timing
from speech.models import Checkpoint, SpeechRequest, SpokenAudio
from speech.objects import spoken_key, timings_key
from speech.synthesis import timings
from speech.synthesis.joining import format_of
from speech.synthesis.pronouncing import Swap
from speech.synthesis.ssml import spoken_of
from speech.synthesis.timings import Timed, TimedPart
from storage.facade import store


def text_of(request: SpeechRequest) -> str:
    """The text that the times point into: as it was sent, of SSML what is said of it."""
    return spoken_of(request.text) if request.is_ssml else request.text


def keep(lease: Lease, job: JobRow, request: SpeechRequest, *, rows: Sequence[Checkpoint], voice_hz: int) -> None:
    """Join what the engine told of each part, and put it where the file will be."""
    parts, samples = [], 0
    for row in rows:
        start_ms, samples = samples * 1000 // voice_hz, samples + row.body["samples"]
        marks = [Mark(*mark) for mark in row.body["marks"]]
        parts.append(TimedPart(0 if request.is_ssml else row.start_ms, start_ms, samples * 1000 // voice_hz, marks))
    duration_ms, kind = samples * 1000 // voice_hz, cast(Timing, request.timings)
    marks = timings.as_sent(timings.joined(parts), [Swap(*swap) for swap in request.swaps])
    found = timings.timed(text_of(request), marks, kind=kind, duration_ms=duration_ms)
    value = timings.to_json(found, kind=kind, duration_ms=duration_ms)
    audio_key = spoken_key(job.tenant_id, job.id, token=lease.token, ending=format_of(request))
    encoded = json.dumps(value, separators=(",", ":")).encode()
    store().put_bytes(timings_key(audio_key), data=encoded, content_type="application/json")


def read(audio: SpokenAudio) -> list[Timed]:
    """The times of a finished file whose order asked for them; raises `ObjectMissing`."""
    return timings.from_json(json.loads(store().read_bytes(timings_key(audio.object_key))))

"""Which orders to speak are the same, for `reuse`: this is the cache of spoken audio, per tenant and mode."""

from __future__ import annotations

from uuid import UUID

from dispatch.facade import JobRow
from speech import reuse
from speech.models import SpeechRequest, SpokenAudio
from speech.synthesis.contracts import KIND


def mark_of(request: SpeechRequest) -> reuse.Mark | None:
    """Engine, voice, language, text as it is said, format, rate, speed, style, timings; None: it may not share."""
    if not request.reuse:
        return None
    asked = {
        "engine": request.engine, "voice": request.voice, "text": request.text, "ssml": request.is_ssml,
        "format": request.format, "rate": request.sample_rate_hz, "speed": request.speed_permille,
        "simulate": request.simulate, "language": request.language,
    }  # fmt: skip
    if request.said_as:  # so that a changed dictionary never brings back how it sounded before
        asked["said_as"] = request.said_as
    if request.style:
        asked["style"] = request.style
    if request.timings:
        asked["timings"] = request.timings
    return reuse.Mark.of(KIND, livemode=request.livemode, asked=asked)


def has_audio(job_id: UUID) -> bool:
    """Whether the job's file is there."""
    return SpokenAudio.objects.filter(pk=job_id).exists()


def is_answered(request: SpeechRequest) -> bool:
    """Whether the same was said before: then there is nothing to wait for."""
    mark = mark_of(request)
    return mark is not None and reuse.finished_twin(mark, finished=has_audio) is not None


def leave(job: JobRow, request: SpeechRequest) -> None:
    """The job has ended or is deleted: those that followed it go on."""
    mark = mark_of(request)
    if mark is not None:
        reuse.leave(job, mark, finished=has_audio)

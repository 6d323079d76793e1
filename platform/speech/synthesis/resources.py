"""How a speech job looks from outside: the resource of GET, and of events. Never the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from apikit import ids
from billing.facade import Cost, shown_amount
from dispatch.facade import JobRow
from speech import retention
from speech.engines.speaking import Voice
from speech.models import SpeechRequest, SpokenAudio
from speech.resources import URL_LIFE_S, download, stamp
from speech.synthesis.voices import speaking


def speech(job: JobRow, request: SpeechRequest, *, cost: Cost | None, audio: SpokenAudio | None) -> dict[str, Any]:
    """The resource, without a signed URL: events carry it too."""
    shown_id = ids.show(ids.SPEECH, job.id)
    total = request.characters
    done = total if job.state == "completed" else min(job.done_ms, total)
    return {
        "id": shown_id,
        "object": "speech",
        "livemode": job.livemode,
        "status": job.state,
        "created": stamp(job.created_at),
        "started_at": stamp(job.started_at),
        "finished_at": stamp(job.finished_at),
        "delete_after_s": request.delete_after_s,
        "delete_at": stamp(retention.goes_at(job, request)),
        "engine": request.engine,
        "quality": speaking(request.engine).quality,
        "voice": request.voice,
        "language": request.language,
        "characters": request.characters,
        "format": request.format,
        "sample_rate_hz": request.sample_rate_hz,
        "speed": request.speed_permille / 1000,
        "style": request.style or None,
        "timings": request.timings or None,
        "progress": {"done_characters": done, "total_characters": total, "percent": done * 100 // total},
        "audio": _audio(audio),
        "reused_from": ids.show(ids.SPEECH, request.reused_from) if request.reused_from else None,
        "destination": request.destination,
        "url": f"{settings.PUBLIC_URL}/v1/speech/{shown_id}",
        "cost": {"amount": shown_amount(cost.amount), "currency": cost.currency} if cost else None,
        "metadata": request.metadata,
        "tags": request.tags,
        "routing": request.routing,
        "warnings": request.warnings,
        "error": request.error,
    }


def signed(audio: SpokenAudio, *, expires_s: int = URL_LIFE_S) -> dict[str, str]:
    """A fresh URL to download the file without a key, and until when it works."""
    return download(audio.object_key, expires_s=expires_s)


def deleted(job_id: UUID) -> dict[str, Any]:
    """What is left to say of a deleted speech job."""
    shown = ids.show(ids.SPEECH, job_id)
    return {"id": shown, "object": "speech", "url": f"{settings.PUBLIC_URL}/v1/speech/{shown}", "deleted": True}


def voice(one: Voice, *, aliases: Sequence[str] = ()) -> dict[str, Any]:
    """A voice, with the tenant's own names of it."""
    return {
        "id": one.id,
        "object": "voice",
        "name": one.name,
        "engine": one.engine,
        "quality": speaking(one.engine).quality,
        "languages": list(one.languages),
        "gender": one.gender,
        "styles": list(one.styles),
        "aliases": list(aliases),
        "sample_rate_hz": one.sample_rate_hz,
    }


def _audio(audio: SpokenAudio | None) -> dict[str, Any] | None:
    if audio is None:
        return None
    return {
        "content_type": audio.content_type, "size_bytes": audio.size_bytes, "duration_ms": audio.duration_ms,
        "sample_rate_hz": audio.sample_rate_hz,
    }  # fmt: skip

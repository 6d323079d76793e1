"""The API's shapes, filled with made-up values. A test compares each with openapi.json."""

from __future__ import annotations

import io
import json
import wave
from typing import Any

import httpx
from typing_extensions import get_type_hints

from parlance._generated import params

NOW = "2026-01-01T00:00:00.000Z"
WORD_MS = 400
SILENCE_MS = 100
PARTS_ABOVE_BYTES, PART_BYTES = 100_000_000, 16_777_216
# What some lists tell beside their things.
EXTRAS: dict[str, dict[str, Any]] = {
    "/v1/events": {"next_after": None}, "/v1/prices": {"version": None}, "/v1/engines": {"speaking": []},
}  # fmt: skip
_SENT: dict[str, frozenset[str]] = {
    "UploadIn": frozenset({"filename", "content_type", "size_bytes", "sha256", "part_size_bytes"}),
    "TranscriptionIn": frozenset({*get_type_hints(params.TranscriptionOptions), "upload_id", "audio_url"}),
    "SpeechIn": frozenset({*get_type_hints(params.SpeechOptions), "text", "ssml"}),
}


def problem(
    status: int, code: str, detail: str = "", *, headers: dict[str, str] | None = None, **more: Any
) -> httpx.Response:
    """RFC 9457, as the API sends it."""
    body = {
        "type": f"https://fake.parlance.test/problems/{code}", "title": code.replace("_", " "), "status": status,
        "detail": detail or f"FakeParlance says {code}.", "code": code, "request_id": "req_fake", **more,
    }  # fmt: skip
    known = {"content-type": "application/problem+json", "request-id": "req_fake"}
    return httpx.Response(status, content=json.dumps(body).encode(), headers=known | (headers or {}))


def checked(request: httpx.Request, schema: str) -> tuple[dict[str, Any], httpx.Response | None]:
    """The body, and the refusal when it has fields that the API does not know."""
    body: dict[str, Any] = json.loads(request.content or b"{}")
    unknown = sorted(body.keys() - _SENT[schema])
    if not unknown:
        return body, None
    errors = [{"field": name, "code": "unknown_field", "detail": "There is no such field."} for name in unknown]
    return body, problem(422, "invalid_request", f"{unknown[0]}: There is no such field.", errors=errors)


def page(rows: list[dict[str, Any]], request: httpx.Request, **extra: Any) -> httpx.Response:
    """A page of these rows; the cursor is a place in them."""
    start, limit = int(request.url.params.get("cursor", 0)), int(request.url.params.get("limit", 20))
    more = start + limit < len(rows)
    shown: dict[str, Any] = {"object": "list", "data": rows[start : start + limit], "has_more": more}
    return httpx.Response(200, json=shown | {"next_cursor": str(start + limit) if more else None} | extra)


def upload(upload_id: str, body: dict[str, Any], *, url: str) -> dict[str, Any]:
    """In parts where the API would have it so."""
    size, wished = body["size_bytes"], body.get("part_size_bytes")
    place = f"{url}/blobs/{upload_id}"
    shown = {
        "id": upload_id, "object": "upload", "livemode": False, "status": "pending", "created": NOW, "expires_at": NOW,
        "filename": body["filename"], "content_type": body.get("content_type", "application/octet-stream"),
        "size_bytes": size,
    }  # fmt: skip
    if not wished and size <= PARTS_ABOVE_BYTES:
        return shown | {"upload": _signed(place)}
    step = wished or PART_BYTES
    parts = [
        {"number": number, "start": start, "size_bytes": min(step, size - start), "status": "pending",
         "upload": _signed(f"{place}/{number}")}
        for number, start in enumerate(range(0, size, step), start=1)
    ]  # fmt: skip
    return shown | {"parts": parts}


def without_urls(shown: dict[str, Any] | None, *, of: str | None = None) -> dict[str, Any] | None:
    """An upload as GET shows it: what has arrived, and not how to send the rest. `of`: of what has this status only."""
    if shown is None:
        return None
    hidden = of is None or shown["status"] == of
    kept = {name: value for name, value in shown.items() if name != "upload" or not hidden}
    return kept | ({"parts": [without_urls(part, of=of) for part in kept["parts"]]} if "parts" in kept else {})


def _signed(url: str) -> dict[str, Any]:
    return {"method": "PUT", "url": url, "headers": {}}


def transcription(
    job_id: str, body: dict[str, Any], *, text: str, error: str | None, filename: str | None, url: str
) -> dict[str, Any]:
    """A transcription that has ended, its words spread over time."""
    words = [
        {"text": word, "start_ms": place * WORD_MS, "end_ms": (place + 1) * WORD_MS, "confidence": 1.0}
        for place, word in enumerate(text.split())
    ]
    length = len(words) * WORD_MS
    shown = {
        "id": job_id, "object": "transcription", "livemode": False, "status": "failed" if error else "completed",
        "created": NOW, "started_at": NOW, "finished_at": NOW, "engine": body.get("engine") or "simulated",
        "quality": "simulated", "model": body.get("model"), "task": body.get("task") or "transcribe",
        "language": body.get("language") or "en", "duration_ms": length,
        "progress": {"done_ms": length, "total_ms": length, "percent": 100}, "queue": None, "reused_from": None,
        "url": f"{url}/v1/transcriptions/{job_id}", "cost": None, "filename": filename,
        "metadata": dict(body.get("metadata") or {}), "tags": list(body.get("tags") or []),
        "routing": {"engine": "simulated", "reasons": []}, "warnings": [],
        "error": {"code": error, "detail": f"FakeParlance says {error}."} if error else None,
    }  # fmt: skip
    if error:
        return shown
    segment = {"id": 0, "start_ms": 0, "end_ms": length, "text": text}
    return shown | {"text": text, "words": words, "segments": [segment]}


def transcript(job: dict[str, Any], form: str) -> httpx.Response:
    """The text alone, or as captions of one cue."""
    if form == "json":
        names = ("text", "language", "duration_ms", "segments", "words")
        return httpx.Response(200, json={name: job[name] for name in names})
    end = f"00:00:{job['duration_ms'] // 1000 % 60:02d}%s{job['duration_ms'] % 1000:03d}"
    shown = {
        "text": ("text/plain", f"{job['text']}\n"),
        "srt": ("application/x-subrip", f"1\n00:00:00,000 --> {end % ','}\n{job['text']}\n"),
        "vtt": ("text/vtt", f"WEBVTT\n\n00:00:00.000 --> {end % '.'}\n{job['text']}\n"),
    }
    kind, text = shown[form]
    return httpx.Response(200, content=text.encode(), headers={"content-type": f"{kind}; charset=utf-8"})


def events(job: dict[str, Any]) -> bytes:
    """The stream of a job that has ended."""
    told = [("segment", str(place + 1), one) for place, one in enumerate(job.get("segments") or [])]
    told.append((job["status"], "end", job))
    return "".join(f"event: {name}\nid: {place}\ndata: {json.dumps(data)}\n\n" for name, place, data in told).encode()


def speech(job_id: str, body: dict[str, Any], *, url: str) -> dict[str, Any]:
    text = str(body.get("text") or body.get("ssml") or "")
    sound = {"content_type": "audio/wav", "duration_ms": SILENCE_MS, "sample_rate_hz": 16_000, "size_bytes": len(wav())}
    return {
        "id": job_id, "object": "speech", "livemode": False, "status": "completed", "created": NOW, "started_at": NOW,
        "finished_at": NOW, "engine": "simulated", "voice": body.get("voice") or "simulated/ada",
        "language": body.get("language") or "en", "format": body.get("format") or "mp3", "sample_rate_hz": 16_000,
        "speed": body.get("speed") or 1.0, "characters": len(text), "timings": body.get("timings"),
        "progress": {"done_characters": len(text), "total_characters": len(text), "percent": 100},
        "quality": "simulated", "reused_from": None, "url": f"{url}/v1/speech/{job_id}", "cost": None,
        "metadata": dict(body.get("metadata") or {}), "tags": list(body.get("tags") or []),
        "routing": {"engine": "simulated", "reasons": []}, "warnings": [], "error": None, "audio": sound,
    }  # fmt: skip


def audio(job: dict[str, Any]) -> httpx.Response:
    """A tenth of a second of silence, whatever format was wished for."""
    about = {"content-type": "audio/wav", "x-parlance-speech-id": job["id"], "x-parlance-voice": job["voice"]}
    return httpx.Response(200, content=wav(), headers=about)


def wav() -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * 16 * SILENCE_MS))
    return target.getvalue()


def usage() -> dict[str, Any]:
    total = {"amount": "0", "currency": "USD"}
    return {"object": "usage", "from": NOW, "to": NOW, "time_zone": "UTC", "data": [], "totals": [total]}

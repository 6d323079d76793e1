"""What several route files use: answers as compact JSON, ids out of paths, rows of the caller's own."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.http import HttpResponse

from apikit import ids
from apikit.facade import not_found
from speech import queries, resources
from tenants.facade import Caller

READ, WRITE = "transcriptions:read", "transcriptions:write"
WAIT_HEADER = "X-Parlance-Wait"  # for the front layer only, which takes it off: this job has not ended yet

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def answer(body: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """A JSON answer."""
    encoded = encode(body).encode()
    return HttpResponse(encoded, status=status, content_type="application/json", headers=headers)


def job_id_of(shown: str) -> UUID:
    """The id of a transcription in a path; raises a 404 `Problem`."""
    parsed = ids.parse(ids.TRANSCRIPTION, shown)
    if parsed is None:
        raise not_found("transcription")
    return parsed


def find(caller: Caller, job_id: UUID) -> queries.Found:
    """The caller's transcription; raises a 404 `Problem`."""
    found = queries.find_transcription(caller, job_id)
    if found is None:
        raise not_found("transcription")
    return found


def shown(found: queries.Found) -> dict[str, Any]:
    """The resource."""
    return resources.transcription(found.job, found.request, cost=found.cost, transcript=found.transcript)


def wait_header(found: queries.Found) -> dict[str, str]:
    """Tells the front layer that the job has not ended."""
    return {WAIT_HEADER: str(found.job.id)} if found.job.state in {"queued", "running"} else {}

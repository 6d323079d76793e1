"""What several route files use: answers as compact JSON, ids out of paths, rows of the caller's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from apikit import ids
from apikit.facade import FieldError, Problem, not_found
from dispatch.facade import JobRow
from speech import queries, resources
from speech.closing import Closing
from tenants.facade import Caller

READ, WRITE = "transcriptions:read", "transcriptions:write"
WAIT_HEADER = "X-Parlance-Wait"  # for the front layer only, which takes it off: this job has not ended yet
WAIT_S_HEADER = "X-Parlance-Wait-S"  # for so long at most
THEN_HEADER = "X-Parlance-Then"  # and then it answers as this path does
STREAM_HEADER = "X-Parlance-Stream"  # for the front layer too: the kind and the job of the body that it is to send

WITH_FIRST_HEADER = "X-Parlance-Stream-With-First"  # its beginning may still turn out to be a refusal


class Owned(Protocol):
    """A job as it was found for its owner."""

    @property
    def job(self) -> JobRow: ...


encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def answer(body: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """A JSON answer."""
    encoded = encode(body).encode()
    return HttpResponse(encoded, status=status, content_type="application/json", headers=headers)


def check_names(request: HttpRequest, *, known: set[str]) -> None:
    """Raises a 422 `Problem` for a field of the query that does not exist: a wrong filter must not list all."""
    unknown = sorted(set(request.GET) - known)
    if unknown:
        detail = f"There is no such field. Fields here: {', '.join(sorted(known))}."
        raise Problem("invalid_request", 422, detail, [FieldError(unknown[0][:64], "unknown_field", detail)])


def job_id_of(shown: str) -> UUID:
    """The id of a transcription in a path; raises a 404 `Problem`."""
    parsed = ids.parse(ids.TRANSCRIPTION, shown)
    if parsed is None:
        raise not_found("transcription")
    return parsed


def find(caller: Caller, job_id: UUID, *, with_text: bool = True) -> queries.Found:
    """The caller's transcription; raises a 404 `Problem`."""
    found = queries.find_transcription(caller, job_id, with_text=with_text)
    if found is None:
        raise not_found("transcription")
    return found


def shown(found: queries.Found) -> dict[str, Any]:
    """The resource."""
    return resources.transcription(
        found.job, found.request, cost=found.cost, transcript=found.transcript, place=found.place
    )


def erase(find: Callable[[], Owned], ends: Closing[Any]) -> None:
    """Erase a job's content; one that has not ended is canceled first. `find` raises for whoever may not see it."""
    job = find().job
    if job.state in {"queued", "running"}:
        ends.cancel(job.id)
        job = find().job
    ends.delete(job)


def wait_header(found: queries.Found) -> dict[str, str]:
    """Tells the front layer that the job has not ended."""
    return {WAIT_HEADER: str(found.job.id)} if found.job.state in {"queued", "running"} else {}

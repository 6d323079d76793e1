"""How long a job's content is kept once the job has ended.

`delete_after_s` says how many seconds: None keeps it until somebody deletes it, and 0 is zero retention, under which
it lives until it was fetched or delivered whole for the first time, and at most `UNFETCHED` longer than the job.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from apikit.threads import in_request_thread
from dispatch.facade import CONTENT_DUE, JobRow, add_due_date, bring_forward
from speech.models import SpeechRequest, TranscriptionRequest
from tenants.facade import Caller

ZERO: Final = 0
UNFETCHED: Final = timedelta(hours=1)
MAX_S: Final = 10 * 366 * 86_400
ONCE: Final = "once"
FETCHED_HEADER: Final = "X-Parlance-Fetched"  # for the front layer only: who has this answer has the content

Request = TranscriptionRequest | SpeechRequest

# A part of the statement of `finishing`; its value `kept_s` is `kept_s(request)`.
CONTENT_GOES: Final = f""",
goes AS (INSERT INTO public.due_date (kind, tenant_id, subject_id, due_at)
  SELECT '{CONTENT_DUE}', %(tenant_id)s, %(job_id)s, now() + %(kept_s)s * interval '1 second' FROM ended
  WHERE ended.number IS NOT NULL)"""  # noqa: S608  # a constant


def shorter(*wishes: int | None) -> int | None:
    """What holds of several wishes: an order may shorten what its tenant has said, never lengthen it.

    >>> shorter(None, 60, 0), shorter(None, None)
    (0, None)
    """
    return min((wish for wish in wishes if wish is not None), default=None)


def asked(delete_after_s: int | None, *, caller: Caller) -> int | None:
    """What holds for an order of the caller's."""
    return shorter(delete_after_s, caller.policies.delete_after_s)


def kept_s(request: Request) -> int | None:
    """Seconds after the job's end at which its content goes at the latest."""
    kept = request.delete_after_s
    return int(UNFETCHED.total_seconds()) if kept == ZERO else kept


def goes_at(job: JobRow, request: Request) -> datetime | None:
    """When the content goes at the latest; None while the job has not ended, and for content that stays."""
    kept = kept_s(request)
    return None if kept is None or job.finished_at is None else job.finished_at + timedelta(seconds=kept)


def on_end(job: JobRow, request: Request) -> None:
    """Have the content erased in its time; part of the transaction that ends the job."""
    at = goes_at(job, request)
    if at is not None:
        add_due_date(CONTENT_DUE, tenant_id=job.tenant_id, subject_id=job.id, due_at=at)


def fetched_header(request: Request, *, has_content: bool) -> dict[str, str]:
    """Tells the front layer that once this answer was sent, the content has been fetched."""
    is_last = has_content and request.delete_after_s == ZERO
    return {FETCHED_HEADER: str(request.job_id)} if is_last else {}


def stream_query(request: Request) -> str:
    """For the front layer too: a stream of this job, sent to its end, has brought all of its content."""
    return f"{ONCE}=1" if request.delete_after_s == ZERO else ""


async def sent(job_id: UUID, query: Mapping[str, str]) -> None:
    """A stream with this query was sent to its end."""
    if ONCE in query:
        await in_request_thread(fetched, job_id)


def fetched(job_id: UUID) -> None:
    """The content of a job of zero retention was sent whole: the sweeper erases it within a second."""
    bring_forward(CONTENT_DUE, subject_ids=[job_id])


def values(request: Request) -> dict[str, Any]:
    """What `CONTENT_GOES` takes."""
    return {"kept_s": kept_s(request)}

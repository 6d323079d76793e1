"""What a job that brought no text is answered with: a `Problem`, which the path's dialect puts into OpenAI's shape."""

from __future__ import annotations

from typing import Final

from apikit import ids
from apikit.facade import FieldError, Problem
from speech.queries import Found

JOB_HEADER: Final = "X-Parlance-Transcription-Id"

MONEY: Final = frozenset({"insufficient_funds", "budget_exceeded"})
# The recording or the wishes are at fault: the same request would fail again. Codes of the decoder begin with media_.
WRONG_REQUEST: Final = frozenset(
    {"audio_range_empty", "speech_threshold_not_met", "diarization_too_long", "language_unsupported", "no_engine",
     "part_too_long", "simulated_bad_audio", "simulated_permanent_error", "simulated_unknown", "unknown_engine",
     "unknown_model"}
)  # fmt: skip
RETRY_AFTER_S: Final = "5"


def job_headers(found: Found) -> dict[str, str]:
    """Which job an answer is about."""
    return {JOB_HEADER: ids.show(ids.TRANSCRIPTION, found.job.id)}


def failure(found: Found) -> Problem:
    """The problem that stands for a failed or canceled job."""
    if found.job.state == "canceled":
        detail = "The transcription was canceled before it was completed. Send the file again if you need its text."
        return Problem("canceled", 409, detail, headers=job_headers(found))
    error = found.request.error or {"code": "internal_error", "detail": "Something went wrong on our side."}
    return failed(str(error["code"]), str(error["detail"]), headers=job_headers(found))


def not_done(found: Found) -> Problem:
    """The longest wait is over. The job goes on; an SDK's own retry joins it."""
    shown = ids.show(ids.TRANSCRIPTION, found.job.id)
    detail = (
        f"The transcription {shown} goes on: send the same request again as a retry to wait for it, or GET "
        f"/v1/transcriptions/{shown}."
    )
    return Problem("not_done_in_time", 504, detail, headers=job_headers(found))


def failed(code: str, detail: str, *, headers: dict[str, str]) -> Problem:
    """The problem for a job that failed with this code."""
    if code in MONEY:
        return Problem(code, 402, detail, headers=headers)
    if code.startswith("media_") or code in WRONG_REQUEST:
        errors = [FieldError("file", code, detail)] if code.startswith("media_") else []
        return Problem(code, 400, detail, errors, headers=headers)
    # The engine was tried several times, and nothing is billed. A retry is a new job, perhaps of another engine.
    again = {"Retry-After": RETRY_AFTER_S, "X-Should-Retry": "true"}
    return Problem(code, 503, detail, headers=headers | again)

"""Who is told of a problem how: the routes that OpenAI's SDKs call speak OpenAI's error shape, all others RFC 9457.

The path alone decides, so that a refusal in front of Django and an error inside it look the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from apikit.problems import MEDIA_TYPE, Problem

OPENAI_PATHS = ("/v1/audio/", "/v1/models")

# OpenAI answers 400 to what cannot be understood, and tells of missing money with a 429 that no SDK should send again.
_STATUS = {402: 429, 422: 400}
_TYPES = {403: "permission_error", 429: "requests"}
_CODES = {
    "budget_exceeded": "insufficient_quota",
    "insufficient_funds": "insufficient_quota",
    "rate_limited": "rate_limit_exceeded",
    "too_many_at_once": "rate_limit_exceeded",
    "unknown_model": "model_not_found",
}
QUOTA = "insufficient_quota"
MAX_TOLD = 5  # wrong fields in one message


class OpenAIErrorBody(BaseModel):
    """What went wrong; `param` is the field at fault."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorOut(BaseModel):
    """An error in OpenAI's shape."""

    error: OpenAIErrorBody


@dataclass(frozen=True, slots=True)
class Rendered:
    """A problem as an HTTP answer."""

    status: int
    media_type: str
    headers: dict[str, str]
    document: dict[str, Any]


def speaks_openai(path: str) -> bool:
    """Whether a path belongs to the OpenAI-compatible routes.

    >>> speaks_openai("/v1/audio/speech"), speaks_openai("/v1/modelsheds"), speaks_openai("/v1/models/whisper-1")
    (True, False, True)
    """
    return any(path == known.rstrip("/") or path.startswith(known.rstrip("/") + "/") for known in OPENAI_PATHS)


def render(problem: Problem, *, path: str, base_url: str, request_id: str) -> Rendered:
    """The answer to a problem on this path."""
    if speaks_openai(path):
        return _openai(problem)
    document = problem.body(base_url=base_url, request_id=request_id)
    return Rendered(problem.status, MEDIA_TYPE, dict(problem.headers), document)


def openai_error(problem: Problem) -> dict[str, Any]:
    """The error object, in an answer's body or in the middle of a stream.

    >>> openai_error(Problem("unknown_model", 404, "There is no such model."))["error"]["code"]
    'model_not_found'
    """
    first = problem.errors[0].code if problem.errors and problem.code == "invalid_request" else problem.code
    code = _CODES.get(first, first)
    return {
        "error": {
            "message": _message(problem),
            "type": _type(_status(problem), code),
            "param": problem.errors[0].field if problem.errors else None,
            "code": code,
        }
    }


def _message(problem: Problem) -> str:
    """Every wrong field, because there is no list of them beside it."""
    if any(error.detail != problem.detail for error in problem.errors):
        return "; ".join(f"{error.field}: {error.detail}" for error in problem.errors[:MAX_TOLD])
    return problem.detail


def answer_headers(path: str, *, request_id: str, took_ms: int) -> Mapping[str, str]:
    """What every answer of a path carries."""
    shown = {"Request-Id": request_id}
    if speaks_openai(path):
        shown |= {"X-Request-Id": request_id, "OpenAI-Processing-Ms": str(took_ms)}
    return shown


def _openai(problem: Problem) -> Rendered:
    document, status = openai_error(problem), _status(problem)
    headers = dict(problem.headers)
    if status == 409 or document["error"]["code"] == QUOTA:
        headers.setdefault("X-Should-Retry", "false")
    return Rendered(status, "application/json", headers, document)


def _status(problem: Problem) -> int:
    return _STATUS.get(problem.status, problem.status)


def _type(status: int, code: str) -> str:
    if code == QUOTA:
        return QUOTA
    return "server_error" if status >= 500 else _TYPES.get(status, "invalid_request_error")

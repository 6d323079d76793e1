"""Everything the SDK raises.

ParlanceError
├── ConfigurationError          no key, a wrong URL
├── ClientClosed                the client was closed, perhaps while this call was on its way
├── ConnectionFailed            no answer came
│   └── RequestTimedOut         none came in time
├── ApiError                    the API answered with a problem
│   ├── BadRequest              400, 405, 413, 415: the request cannot be read
│   ├── AuthenticationFailed    401
│   ├── PaymentRequired         402: wallet or budget
│   ├── PermissionDenied        403
│   ├── NotFound                404
│   ├── Conflict                409
│   ├── InvalidRequest          422: `errors` names each wrong field
│   ├── RateLimited             429
│   └── ServerFault             5xx
├── JobNotCompleted             the job ended otherwise; `job` is it
│   ├── JobFailed
│   └── JobCanceled
├── WaitTimedOut                the job goes on; `job_id` tells where
├── UploadFailed                the file did not arrive
├── OutputFailed                the file to write to cannot be written
├── UnexpectedAnswer            an answer that this version of the SDK cannot read
└── WebhookVerificationError    do not trust this request
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RETRYABLE_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
# Conflicts that pass by themselves.
RETRYABLE_CODES = frozenset({"not_ready", "rotation_running", "replay_running", "delivery_busy"})


@dataclass(frozen=True)
class FieldError:
    """One wrong field of a request."""

    field: str
    code: str
    detail: str


class ParlanceError(Exception):
    """The root. What a catcher may want to know is there on every error.

    `code`: stable, for programs. `retryable`: the same call may succeed later. `retry_after`: seconds that the server
    asked for. `request_id`: quote it to support. `docs_url`: a page about the code. `errors`: the wrong fields.
    """

    code: str = "error"
    retryable: bool = False
    retry_after: float | None = None
    request_id: str | None = None
    docs_url: str | None = None
    errors: Sequence[FieldError] = ()

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class ConfigurationError(ParlanceError):
    """The client cannot be made so."""

    code = "configuration"


class ClientClosed(ParlanceError):
    """The client was closed, perhaps by another thread or task while this call was on its way.

    What the server had taken goes on there.
    """

    code = "client_closed"

    def __init__(self) -> None:
        super().__init__("The client is closed.")


class ConnectionFailed(ParlanceError):
    """No answer came: the server may or may not have taken the request."""

    code = "connection_failed"
    retryable = True


class RequestTimedOut(ConnectionFailed):
    """No answer came in time. `timeout` of the client or the call decides."""

    code = "timed_out"


class UnexpectedAnswer(ParlanceError):
    """The answer is not what the API of this SDK's version gives: a proxy's page, or a much newer server."""

    code = "unexpected_answer"


class UploadFailed(ParlanceError):
    """The file did not arrive."""

    code = "upload_failed"


class OutputFailed(ParlanceError):
    """The audio or the export cannot be written where it should go. Its file is not there, not even in part."""

    code = "output_failed"


class WebhookVerificationError(ParlanceError):
    """The request is not from Parlance, was changed on its way, or is too old: answer 400 and forget it."""

    code = "webhook_not_verified"


class ApiError(ParlanceError):
    """The API answered with a problem (RFC 9457)."""

    def __init__(self, problem: Mapping[str, Any], *, status: int, headers: Mapping[str, str]) -> None:
        detail = str(problem.get("detail") or problem.get("title") or f"The server answered {status}.")
        super().__init__(detail, code=str(problem.get("code") or f"http_{status}"))
        self.status = status
        self.request_id = str(problem.get("request_id") or headers.get("request-id") or "") or None
        self.docs_url = str(problem.get("type") or "") or None
        self.retry_after = retry_after_s(headers)
        self.retryable = status in RETRYABLE_STATUSES or self.code in RETRYABLE_CODES
        self.errors = [_field_error(one) for one in problem.get("errors") or () if isinstance(one, dict)]

    def __str__(self) -> str:
        fields = "".join(f"\n  {one.field}: {one.detail}" for one in self.errors)
        return f"{self.message} ({self.status} {self.code}, request {self.request_id}){fields}"


class BadRequest(ApiError):
    """400, 405, 413, 415: the request cannot be read, or is too large."""


class AuthenticationFailed(ApiError):
    """401: the key is missing, wrong, revoked or expired."""


class PaymentRequired(ApiError):
    """402: the wallet or a budget does not allow it."""


class PermissionDenied(ApiError):
    """403: the key may not do this."""


class NotFound(ApiError):
    """404: there is nothing of this id for your key."""


class Conflict(ApiError):
    """409: it cannot be done in the present state."""


class InvalidRequest(ApiError):
    """422: `errors` names each wrong field."""


class RateLimited(ApiError):
    """429: too much at once; `retry_after` tells how long to wait."""


class ServerFault(ApiError):
    """5xx: the fault is not yours."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest, 401: AuthenticationFailed, 402: PaymentRequired, 403: PermissionDenied, 404: NotFound,
    405: BadRequest, 409: Conflict, 413: BadRequest, 415: BadRequest, 422: InvalidRequest, 429: RateLimited,
}  # fmt: skip


class JobNotCompleted(ParlanceError):
    """The job ended without what was asked for. `job` is the job as the API shows it; failures cost nothing."""

    def __init__(self, message: str, *, code: str, job: Any) -> None:
        super().__init__(message, code=code)
        self.job = job


class JobFailed(JobNotCompleted):
    """The job failed; `code` says why."""


class JobCanceled(JobNotCompleted):
    """The job was canceled."""


class WaitTimedOut(ParlanceError):
    """The job had not ended in the time that was given. It goes on: ask for `job_id` later."""

    code = "wait_timed_out"
    retryable = True

    def __init__(self, message: str, *, job_id: str) -> None:
        super().__init__(message)
        self.job_id = job_id


def api_error(status: int, body: bytes, headers: Mapping[str, str]) -> ApiError:
    """The error of an answer that is no success, whatever its body is.

    >>> error = api_error(404, b'{"code": "not_found", "detail": "There is no such upload."}', {"request-id": "req_1"})
    >>> type(error).__name__, error.code, error.request_id, error.retryable
    ('NotFound', 'not_found', 'req_1', False)
    >>> api_error(502, b"<html>", {}).code
    'http_502'
    """
    try:
        problem = json.loads(body)
    except ValueError:
        problem = {}
    kind = _BY_STATUS.get(status, ServerFault if status >= 500 else BadRequest)
    return kind(problem if isinstance(problem, dict) else {}, status=status, headers=headers)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """
    >>> retry_after_s({"retry-after": "3"}), retry_after_s({"retry-after": "Wed, 01 Jan 2025 00:00:00 GMT"})
    (3.0, None)
    """
    try:
        return max(float(headers.get("retry-after", "")), 0.0)
    except ValueError:
        return None


def _field_error(one: Mapping[str, Any]) -> FieldError:
    return FieldError(str(one.get("field", "")), str(one.get("code", "")), str(one.get("detail", "")))

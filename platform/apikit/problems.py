"""One error object for every route: RFC 9457 problem details with a stable `code`.

Routes raise `Problem`; `apikit.dialects` decides by the path how it looks (OpenAI-compatible routes differ).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pydantic import ValidationError

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 50  # more tell nobody anything, and would make an answer larger than its request
MAX_PATH_CHARS = 200

TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    402: "Payment required",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Gone",
    413: "Too large",
    415: "Unsupported media type",
    416: "Range not satisfiable",
    422: "Not acceptable as sent",
    429: "Too many requests",
    500: "Internal error",
    503: "Temporarily unavailable",
    504: "Not done in time",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its path (`options.language`), a stable code and what to do."""

    field: str
    code: str
    detail: str


@dataclass(slots=True)
class Problem(Exception):
    """An answer that is not a success. `detail` is for people and says what to do next."""

    code: str
    status: int
    detail: str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def body(self, *, base_url: str, request_id: str) -> dict[str, Any]:
        """The problem document; its `type` is a page that the server serves."""
        shown: dict[str, Any] = {
            "type": f"{base_url}/problems/{self.code}",
            "title": TITLES.get(self.status, "Error"),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }
        if self.errors:
            shown["errors"] = [{"field": e.field, "code": e.code, "detail": e.detail} for e in self.errors]
        return shown | dict(self.extra)


def not_found(kind: str) -> Problem:
    """The same answer for what does not exist and for what belongs to another tenant or mode."""
    return Problem("not_found", 404, f"There is no such {kind}. Check the id, and that the key is of the same mode.")


def unavailable() -> Problem:
    """A part of the service is down for a moment; the same request may be sent again."""
    detail = "A part of the service restarts. Send the request again with the same Idempotency-Key."
    return Problem("unavailable", 503, detail, headers={"Retry-After": "2"})


def invalid_json() -> Problem:
    """The body cannot be read at all."""
    detail = "The body is not valid JSON. Send one object in UTF-8 with Content-Type application/json, each name once."
    return Problem("invalid_json", 400, detail)


def validation_problem(error: ValidationError) -> Problem:
    """Every wrong field of a body, with its path and what is wrong; never the value itself."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return invalid_fields((item["loc"], item["type"], item["msg"]) for item in found)


def invalid_fields(found: Iterable[tuple[Sequence[int | str], str, str]]) -> Problem:
    """A 422 from paths, codes and sentences. A sender chooses the names of unknown fields: few and short are shown."""
    errors = [
        FieldError(".".join(map(str, path))[:MAX_PATH_CHARS] or "body", code, detail)
        for path, code, detail in islice(found, MAX_ERRORS)
    ]
    first = errors[0]
    return Problem("invalid_request", 422, f"{first.field}: {first.detail}. See `errors` for every field.", errors)

"""The fake: a handler of HTTP requests with a memory, behind httpx's own port for such things."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from parlance._sync.client import Parlance
from parlance.testing import _shapes as shapes

if TYPE_CHECKING:
    from parlance._async.client import AsyncParlance

URL, KEY = "https://fake.parlance.test", "parl_test_fake"
Answer = httpx.Response
Route = Callable[["FakeParlance", httpx.Request, str], Answer]


@dataclass(frozen=True)
class Sent:
    """A request that the fake received."""

    method: str
    path: str
    body: Any
    headers: httpx.Headers


class FakeParlance:
    """Uploads, transcriptions, speech, events and lists, kept in memory. `sent` are the requests so far."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self._uploads: dict[str, dict[str, Any]] = {}
        self._jobs: dict[str, dict[str, Any]] = {}
        self._keys: dict[str, str] = {}
        self._texts: list[str] = []
        self._job_errors: list[str] = []
        self._problems: list[Answer | Exception] = []

    def client(self, **options: Any) -> Parlance:
        """A client of this fake."""
        return Parlance(api_key=KEY, base_url=URL, transport=httpx.MockTransport(self.handle), **options)

    def async_client(self, **options: Any) -> AsyncParlance:
        """An async client of this fake."""
        from parlance._async.client import AsyncParlance

        return AsyncParlance(api_key=KEY, base_url=URL, transport=httpx.MockTransport(self.handle), **options)

    def hear(self, *texts: str) -> None:
        """What the next recordings say, in this order; without it they say "simulated speech"."""
        self._texts += texts

    def fail_job(self, code: str = "bad_audio") -> None:
        """The next recording cannot be heard: its job fails with this code."""
        self._job_errors.append(code)

    def fail_request(self, status: int, code: str, *, retry_after: int | None = None) -> None:
        """The next request is answered by this problem."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self._problems.append(shapes.problem(status, code, headers=headers))

    def cut_connection(self) -> None:
        """The next request gets no answer."""
        self._problems.append(httpx.ReadError("the connection was cut by FakeParlance"))

    def handle(self, request: httpx.Request) -> Answer:
        """The answer to a request; raises what stands for a failing network."""
        content = request.read()
        is_json = request.headers.get("content-type", "") == "application/json"
        self.sent.append(
            Sent(request.method, request.url.path, json.loads(content) if is_json else content, request.headers)
        )
        if self._problems:
            failure = self._problems.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        if request.url.path.startswith("/blobs/"):
            return self._put(request)
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return shapes.problem(401, "invalid_api_key")
        return self._routed(request)

    def _routed(self, request: httpx.Request) -> Answer:
        for (method, pattern), route in _ROUTES.items():
            found = re.fullmatch(pattern, request.url.path)
            if found and method == request.method:
                return route(self, request, found.group(1) if found.groups() else "")
        return shapes.problem(404, "not_found", f"The fake has no {request.method} {request.url.path}.")

    # ── uploads ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _create_upload(self, request: httpx.Request, _: str) -> Answer:
        body, wrong = shapes.checked(request, "UploadIn")
        if wrong is not None:
            return wrong
        made = shapes.upload(f"upl_{len(self._uploads) + 1:026d}", body, url=URL)
        self._uploads[made["id"]] = made
        return httpx.Response(201, json=made)

    def _put(self, request: httpx.Request) -> Answer:
        _, _, upload_id, *part = request.url.path.split("/")
        found = self._uploads[upload_id]
        piece = found["parts"][int(part[0]) - 1] if part else found
        if len(request.content) != piece["size_bytes"]:
            return shapes.problem(400, "length_mismatch")
        piece["status"] = "completed"
        return httpx.Response(200)

    def _get_upload(self, request: httpx.Request, upload_id: str) -> Answer:
        return _shown(shapes.without_urls(self._uploads.get(upload_id)))

    def _resume_upload(self, request: httpx.Request, upload_id: str) -> Answer:
        found = self._uploads.get(upload_id)
        if found is not None and found["status"] != "pending":
            return shapes.problem(409, "upload_already_complete")
        return _shown(shapes.without_urls(found, of="completed"))

    def _complete_upload(self, request: httpx.Request, upload_id: str) -> Answer:
        found = self._uploads.get(upload_id)
        if found is not None and any(part["status"] == "pending" for part in found.get("parts") or [found]):
            return shapes.problem(409, "upload_incomplete")
        if found is not None:
            found["status"] = "completed"
        return self._get_upload(request, upload_id)

    # ── transcriptions ───────────────────────────────────────────────────────────────────────────────────────────────

    def _create_transcription(self, request: httpx.Request, _: str) -> Answer:
        body, wrong = shapes.checked(request, "TranscriptionIn")
        if wrong is not None:
            return wrong
        upload = self._uploads.get(body.get("upload_id", ""))
        if "upload_id" in body and (upload is None or upload["status"] == "pending"):
            return shapes.problem(404, "not_found") if upload is None else shapes.problem(409, "upload_incomplete")
        return self._accepted(request, lambda job_id: self._heard(job_id, body, upload))

    def _heard(self, job_id: str, body: dict[str, Any], upload: dict[str, Any] | None) -> dict[str, Any]:
        text = self._texts.pop(0) if self._texts else "simulated speech"
        error = self._job_errors.pop(0) if self._job_errors else None
        return shapes.transcription(
            job_id, body, text=text, error=error, filename=(upload or {}).get("filename"), url=URL
        )

    def _get_job(self, request: httpx.Request, job_id: str) -> Answer:
        return _shown(self._jobs.get(job_id))

    def _list(self, request: httpx.Request, _: str) -> Answer:
        kind = "trn_" if "transcriptions" in request.url.path else "spc_"
        rows = [job for job_id, job in reversed(self._jobs.items()) if job_id.startswith(kind)]
        return shapes.page(rows, request)

    def _cancel(self, request: httpx.Request, job_id: str) -> Answer:
        found = self._jobs.get(job_id)
        return shapes.problem(409, "not_cancelable") if found else shapes.problem(404, "not_found")

    def _delete(self, request: httpx.Request, job_id: str) -> Answer:
        found = self._jobs.pop(job_id, None)
        return _shown(found and {"id": job_id, "object": found["object"], "deleted": True, "url": found["url"]})

    def _transcript(self, request: httpx.Request, job_id: str) -> Answer:
        found = self._jobs.get(job_id)
        if found is None or found["status"] != "completed":
            return shapes.problem(404, "not_found") if found is None else shapes.problem(409, "no_transcript")
        return shapes.transcript(found, request.url.params.get("format", "json"))

    def _stream(self, request: httpx.Request, job_id: str) -> Answer:
        found = self._jobs.get(job_id)
        if found is None:
            return shapes.problem(404, "not_found")
        content = shapes.events(found)
        return httpx.Response(200, content=content, headers={"content-type": "text/event-stream"})

    # ── speech and the rest ──────────────────────────────────────────────────────────────────────────────────────────

    def _create_speech(self, request: httpx.Request, _: str) -> Answer:
        body, wrong = shapes.checked(request, "SpeechIn")
        if wrong is not None:
            return wrong
        accepted = self._accepted(request, lambda job_id: shapes.speech(job_id, body, url=URL))
        if request.headers.get("prefer") == "respond-async":
            return accepted
        return shapes.audio(accepted.json())

    def _audio(self, request: httpx.Request, job_id: str) -> Answer:
        found = self._jobs.get(job_id)
        return shapes.audio(found) if found else shapes.problem(404, "not_found")

    def _usage(self, request: httpx.Request, _: str) -> Answer:
        return httpx.Response(200, json=shapes.usage())

    def _empty(self, request: httpx.Request, _: str) -> Answer:
        return shapes.page([], request, **shapes.EXTRAS.get(request.url.path, {}))

    def _accepted(self, request: httpx.Request, make: Callable[[str], dict[str, Any]]) -> Answer:
        """A new job, or that of the same Idempotency-Key."""
        key = f"{request.url.path} {request.headers.get('idempotency-key', len(self._jobs))}"
        if key not in self._keys:
            prefix = "trn" if "transcriptions" in request.url.path else "spc"
            job_id = f"{prefix}_{len(self._jobs) + 1:026d}"
            self._jobs[job_id], self._keys[key] = make(job_id), job_id
        job_id = self._keys[key]
        return httpx.Response(202, json=self._jobs[job_id], headers={"Location": f"/v1/transcriptions/{job_id}"})


def _shown(found: dict[str, Any] | None) -> Answer:
    return shapes.problem(404, "not_found") if found is None else httpx.Response(200, json=found)


_TRN, _SPC = "/v1/transcriptions", "/v1/speech"
_ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/v1/uploads"): FakeParlance._create_upload,
    ("GET", "/v1/uploads/([^/]+)"): FakeParlance._get_upload,
    ("POST", "/v1/uploads/([^/]+)/resume"): FakeParlance._resume_upload,
    ("POST", "/v1/uploads/([^/]+)/complete"): FakeParlance._complete_upload,
    ("POST", _TRN): FakeParlance._create_transcription,
    ("GET", _TRN): FakeParlance._list,
    ("GET", f"{_TRN}/([^/]+)"): FakeParlance._get_job,
    ("DELETE", f"{_TRN}/([^/]+)"): FakeParlance._delete,
    ("POST", f"{_TRN}/([^/]+)/cancel"): FakeParlance._cancel,
    ("GET", f"{_TRN}/([^/]+)/transcript"): FakeParlance._transcript,
    ("GET", f"{_TRN}/([^/]+)/stream"): FakeParlance._stream,
    ("POST", _SPC): FakeParlance._create_speech,
    ("GET", _SPC): FakeParlance._list,
    ("GET", f"{_SPC}/([^/]+)"): FakeParlance._get_job,
    ("DELETE", f"{_SPC}/([^/]+)"): FakeParlance._delete,
    ("POST", f"{_SPC}/([^/]+)/cancel"): FakeParlance._cancel,
    ("GET", f"{_SPC}/([^/]+)/audio"): FakeParlance._audio,
    ("GET", "/v1/usage"): FakeParlance._usage,
    ("GET", "/v1/(?:voices|engines|prices|events|deliveries|webhook-endpoints)"): FakeParlance._empty,
}


def routes() -> Iterator[tuple[str, str]]:
    """What the fake answers: method and pattern."""
    yield from _ROUTES

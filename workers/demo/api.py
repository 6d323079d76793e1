"""The public API as a customer with httpx and no SDK would call it."""

import mimetypes
import time
from pathlib import Path
from typing import Any, Self

import httpx

from workers.demo.errors import DemoError

CALL_LIMIT_S = 40.0  # a long-poll of 30 s and some patience
TERMINAL = ("completed", "failed", "canceled")


class ParlanceApi:
    """One tenant's calls; every refusal becomes a DemoError with the API's own words."""

    def __init__(self, url: str, *, key: str) -> None:
        """No call is made yet."""
        # The proxy of the user's environment is for the internet, this is loopback.
        self._client = httpx.Client(base_url=url, timeout=CALL_LIMIT_S, trust_env=False)
        self._key = key

    def __enter__(self) -> Self:
        """Return the API."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._client.close()

    def _call(self, step: str, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._key}", **options.pop("headers", {})}
        try:
            answer = self._client.request(method, path, headers=headers, **options)
        except httpx.HTTPError as error:
            raise _unreachable(step, error=error) from error
        return _accepted(step, answer=answer)

    def key_works(self) -> bool:
        """Tell whether the API knows the key."""
        try:
            answer = self._client.get("/v1/usage", headers={"Authorization": f"Bearer {self._key}"})
        except httpx.HTTPError as error:
            raise _unreachable("tenant", error=error) from error
        return answer.status_code not in (401, 403)

    def forget_old_endpoints(self, *, path: str) -> None:
        """Delete receivers of earlier demos, which no longer answer; harmless if that is not possible."""
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            listing = self._client.get("/v1/webhook-endpoints", headers=headers).json()
            for endpoint in listing.get("data", []):
                if str(endpoint.get("url", "")).endswith(path):
                    self._client.delete(f"/v1/webhook-endpoints/{endpoint['id']}", headers=headers)
        except (httpx.HTTPError, ValueError, AttributeError):
            return

    def add_endpoint(self, url: str, *, event_types: list[str]) -> dict[str, Any]:
        """Register a webhook receiver; the answer carries its secret."""
        body = {"url": url, "event_types": event_types}
        return _object(self._call("webhook endpoint", "POST", "/v1/webhook-endpoints", json=body))

    def upload(self, file: Path) -> str:
        """Upload a file the way the ticket says and return the upload's id."""
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        wanted = {"filename": file.name, "content_type": kind, "size_bytes": file.stat().st_size}
        ticket = _object(self._call("upload", "POST", "/v1/uploads", json=wanted))
        target = ticket["upload"]
        try:
            with file.open("rb") as content:
                answer = self._client.request(
                    target["method"], target["url"], headers=target["headers"], content=content
                )
        except httpx.HTTPError as error:
            raise _unreachable("upload", error=error) from error
        _accepted("upload", answer=answer)
        return str(ticket["id"])

    def transcribe(self, upload_id: str) -> str:
        """Ask for a transcription and return its id."""
        answer = self._call("transcription", "POST", "/v1/transcriptions", json={"upload_id": upload_id})
        return str(_object(answer)["id"])

    def finished(self, transcription_id: str, *, limit_s: float) -> dict[str, Any]:
        """Wait for a transcription's end by long-polling."""
        until_s = time.monotonic() + limit_s
        while time.monotonic() < until_s:
            path = f"/v1/transcriptions/{transcription_id}"
            found = _object(self._call("transcription", "GET", path, headers={"Prefer": "wait=30"}))
            if found["status"] in TERMINAL:
                return found
            time.sleep(0.1)  # also polite to a server that does not wait
        raise DemoError(
            "transcription",
            detail=f"it was not finished after {limit_s:g} s",
            todo="Look at worker.log in the home's logs folder, and run `parlance status`.",
        )

    def usage(self) -> list[dict[str, Any]]:
        """Return the tenant's usage lines."""
        return list(_object(self._call("usage", "GET", "/v1/usage"))["data"])


def _object(answer: httpx.Response) -> dict[str, Any]:
    found = answer.json()
    if not isinstance(found, dict):
        raise DemoError("api", detail="the answer is not an object", todo="Look at web.log.")
    return found


def _unreachable(step: str, *, error: httpx.HTTPError) -> DemoError:
    return DemoError(
        step,
        detail=f"the server did not answer ({type(error).__name__})",
        todo="Run `parlance status` and look at web.log in the home's logs folder.",
    )


def _accepted(step: str, *, answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    words = problem.get("detail", "") if isinstance(problem, dict) else ""
    request_id = answer.headers.get("request-id", "none")
    raise DemoError(
        step,
        detail=f"{answer.status_code} {words}".strip(),
        todo=f"Look for the request {request_id} in web.log in the home's logs folder.",
    )

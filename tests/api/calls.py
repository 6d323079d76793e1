"""What a customer does over HTTP, in one call each, and what every refusal must look like."""

from __future__ import annotations

import contextlib
import json
import socket
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from stack import Tenant

JSON = "application/json"
PROBLEM = "application/problem+json"
ENDED = {"completed", "failed", "canceled"}
ANSWER_S = 20.0
Headers = Sequence[tuple[str, bytes]]


def create_upload(client: httpx.Client, *, size_bytes: int, content_type: str = "audio/wav", **more: Any) -> Any:
    """A ticket."""
    body = {"filename": "clip.wav", "content_type": content_type, "size_bytes": size_bytes} | more
    answer = client.post("/v1/uploads", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def put(ticket: Any, data: bytes, **headers: str) -> httpx.Response:
    """PUT to the ticket's URL as a browser would, without a key."""
    signed = ticket["upload"]
    headers = signed["headers"] | {"Content-Length": str(len(data))} | headers
    return httpx.request(signed["method"], signed["url"], headers=headers, content=data, trust_env=False)


def upload(client: httpx.Client, data: bytes) -> str:
    """The id of an upload whose file has arrived."""
    ticket = create_upload(client, size_bytes=len(data))
    assert put(ticket, data).status_code == 200
    return str(ticket["id"])


def order(client: httpx.Client, data: bytes, *, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
    """A multipart request, by default to the simulated engine."""
    form = {"engine": "simulated"} | fields
    files = {"file": ("clip.wav", data, "audio/wav")}
    return client.post("/v1/transcriptions", data=form, files=files, headers=headers)


def transcribe(client: httpx.Client, data: bytes, **fields: str) -> Any:
    """The transcription of a file, once it has ended."""
    accepted = order(client, data, **fields)
    assert accepted.status_code == 202, accepted.text
    return ended(client, accepted.json()["id"])


def ended(client: httpx.Client, transcription_id: str, *, tries: int = 3) -> Any:
    """The transcription once it has ended."""
    for _ in range(tries):
        shown = client.get(f"/v1/transcriptions/{transcription_id}", headers={"Prefer": "wait=30"}).json()
        if shown["status"] in ENDED:
            return shown
    raise AssertionError(f"still {shown['status']} after {30 * tries} s")


def usage(client: httpx.Client) -> Any:
    """All usage of the key's tenant and mode: what finance would bill."""
    shown = client.get("/v1/usage").json()
    return {"data": shown["data"], "totals": shown["totals"]}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def raw(url: str, request: bytes, *, timeout_s: float = ANSWER_S) -> Answer:
    """Send exactly these bytes and read until the server closes; what it did not take is not an error."""
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=timeout_s) as wire:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may have answered already
            wire.sendall(request)
        return _read(wire)


def raw_request(client: httpx.Client, method: str, path: str, *, body: bytes = b"", headers: Headers = ()) -> Answer:
    """A request with these bytes as path, headers and body, under the client's own key."""
    return raw(str(client.base_url), _request(client, method, path, body=body, headers=headers))


def raw_at_once(
    client: httpx.Client, method: str, path: str, *, body: bytes, headers: Headers, times: int
) -> list[Answer]:
    """The same request many times, each held back at its last byte until all the others stand there too."""
    request = _request(client, method, path, body=body, headers=headers)
    parts = urllib.parse.urlsplit(str(client.base_url))
    with contextlib.ExitStack() as stack:
        wires = [
            stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=ANSWER_S))
            for _ in range(times)
        ]
        for wire in wires:
            wire.sendall(request[:-1])
        for wire in wires:
            wire.sendall(request[-1:])
        return [_read(wire) for wire in wires]


def _request(client: httpx.Client, method: str, path: str, *, body: bytes, headers: Headers) -> bytes:
    given = [("host", b"localhost"), ("connection", b"close"), ("content-length", str(len(body)).encode())]
    key = client.headers.get("authorization")
    given += [("authorization", key.encode())] if key else []
    head = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in [*given, *headers])
    return f"{method} {path} HTTP/1.1\r\n".encode() + head + b"\r\n" + body


def _read(wire: socket.socket) -> Answer:
    received = bytearray()
    while True:
        try:
            part = wire.recv(65_536)
        except ConnectionResetError:
            break
        if not part:
            break
        received += part
        if _whole(bytes(received)):
            break
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(status.split()[1]), headers, body)


def _whole(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if end and line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return False


def check_problem(answer: httpx.Response | Answer, status: int, code: str) -> Any:
    """The problem document, after checking everything that all of them promise."""
    got = answer.status_code if isinstance(answer, httpx.Response) else answer.status
    body = answer.json()
    assert (got, body["code"]) == (status, code), body
    assert answer.headers["content-type"] == PROBLEM
    assert body["status"] == status
    assert body["type"].endswith(f"/problems/{code}")
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["request-id"]
    assert body.keys() <= {"type", "title", "status", "detail", "code", "request_id", "errors"}
    return body


def without_id(answer: httpx.Response | Answer) -> Any:
    """An answer's status, type and bytes, but for the id of the request."""
    got, body = (
        (answer.status_code, answer.content) if isinstance(answer, httpx.Response) else (answer.status, answer.body)
    )
    return got, answer.headers["content-type"], body.replace(answer.headers["request-id"].encode(), b"")


def tenant_uuid(tenant: Tenant) -> UUID:
    """The id as the database knows it."""
    from apikit import ids

    found = ids.parse(ids.TENANT, tenant.id)
    assert found is not None
    return found

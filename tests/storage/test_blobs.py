"""The signed URLs of the local store, over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.asgi import in_thread
from storage.facade import LocalStore, SignedRequest
from tests.storage.blob_server import ORIGIN, blob_app

KEY = "tenants/t_1/uploads/upl_1"
BODY = bytes(range(256)) * 4

Call = Callable[..., httpx.Response]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Sends one request to the application in this process."""
    app = blob_app(tmp_path / "store", idle_timeout_s=5, durable=False)

    async def send(method: str, url: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, url, **more)

    return lambda method, url, **more: asyncio.run(send(method, url, **more))


@pytest.fixture
def put(local_store: LocalStore) -> SignedRequest:
    return local_store.presign_put(KEY, size_bytes=len(BODY), content_type="audio/wav", expires_s=60)


def code_of(response: httpx.Response, *, status: int) -> str:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem.keys() == {"type", "title", "status", "detail", "code", "request_id"}
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["request-id"]
    assert KEY not in response.text
    return str(problem["code"])


def test_an_upload_is_stored_as_signed(call: Call, put: SignedRequest, local_store: LocalStore) -> None:
    response = call("PUT", put.url, headers=put.headers, content=BODY)
    info = local_store.stat(KEY)
    assert info is not None
    assert response.status_code == 200
    assert (info.size_bytes, info.content_type) == (len(BODY), "audio/wav")
    assert response.headers["etag"] == f'"{info.etag}"'
    assert local_store.read_bytes(KEY) == BODY


def test_a_second_upload_is_refused(call: Call, put: SignedRequest, local_store: LocalStore) -> None:
    call("PUT", put.url, headers=put.headers, content=BODY)
    again = call("PUT", put.url, headers=put.headers, content=BODY[::-1])
    assert code_of(again, status=409) == "upload_already_complete"
    assert local_store.read_bytes(KEY) == BODY


def test_an_empty_upload_is_possible(call: Call, local_store: LocalStore) -> None:
    request = local_store.presign_put(KEY, size_bytes=0, content_type="audio/wav", expires_s=60)
    assert call("PUT", request.url, headers=request.headers, content=b"").status_code == 200
    assert local_store.read_bytes(KEY) == b""


@pytest.mark.parametrize(
    ("headers", "content", "status", "code"),
    [
        ({"Content-Length": "1023"}, BODY[:-1], 400, "length_mismatch"),
        ({"Content-Length": "1025"}, BODY + b"x", 413, "length_mismatch"),
        ({"Content-Type": "text/html"}, BODY, 415, "content_type_mismatch"),
        ({"Content-Encoding": "gzip"}, BODY, 415, "content_encoding_refused"),
        ({"Content-Range": "bytes 0-1023/1024"}, BODY, 400, "content_range_refused"),
        ({}, BODY[:-1], 400, "length_mismatch"),
        ({}, BODY + b"x", 413, "length_mismatch"),
    ],
)
def test_an_upload_that_differs_from_the_signature_leaves_nothing(
    call: Call, put: SignedRequest, tmp_path: Path, headers: dict[str, str], content: bytes, status: int, code: str
) -> None:
    response = call("PUT", put.url, headers=put.headers | headers, content=content)
    assert code_of(response, status=status) == code
    assert response.headers["connection"] == "close"
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def test_an_upload_without_a_length_is_refused(call: Call, put: SignedRequest) -> None:
    async def chunks() -> Any:
        yield BODY

    response = call("PUT", put.url, headers={"Content-Type": "audio/wav"}, content=chunks())
    assert code_of(response, status=411) == "length_required"


@pytest.mark.parametrize("right", [True, False])
def test_a_signed_checksum_is_enforced(call: Call, local_store: LocalStore, right: bool) -> None:
    sha256_hex = hashlib.sha256(BODY if right else b"other").hexdigest()
    request = local_store.presign_put(
        KEY, size_bytes=len(BODY), content_type="audio/wav", sha256_hex=sha256_hex, expires_s=60
    )
    response = call("PUT", request.url, headers=request.headers, content=BODY)
    if right:
        assert response.status_code == 200
    else:
        assert code_of(response, status=422) == "checksum_mismatch"
    assert (local_store.stat(KEY) is not None) is right


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda url: url.replace("upl_1", "upl_2"), "signature_invalid"),
        (lambda url: url.replace("upl_1", "..%2F..%2Fetc"), "signature_invalid"),
        (lambda url: url.replace("len=1024", "len=9999"), "signature_invalid"),
        (lambda url: url.partition("?")[0], "signature_invalid"),
        (lambda url: "/v1/blobs/" + url, "signature_invalid"),
    ],
)
def test_a_changed_url_is_refused(call: Call, put: SignedRequest, change: Callable[[str], str], code: str) -> None:
    url = change(put.url.removeprefix("http://localhost"))
    assert code_of(call("PUT", url, headers=put.headers, content=BODY), status=403) == code


def test_an_expired_url_is_refused(call: Call, local_store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_store._signer, "_clock", lambda: 1000.0)
    request = local_store.presign_put(KEY, size_bytes=1, content_type="audio/wav", expires_s=60)
    assert code_of(call("PUT", request.url, headers=request.headers, content=b"x"), status=403) == "url_expired"


def test_a_url_works_for_its_method_only(call: Call, put: SignedRequest, local_store: LocalStore) -> None:
    get = local_store.presign_get(KEY, expires_s=60)
    assert code_of(call("GET", put.url), status=403) == "method_mismatch"
    assert code_of(call("PUT", get.url, content=BODY), status=403) == "method_mismatch"
    assert code_of(call("DELETE", get.url), status=405) == "method_not_allowed"


@pytest.fixture
def get(local_store: LocalStore) -> SignedRequest:
    local_store.put_bytes(KEY, data=BODY, content_type="text/html")
    return local_store.presign_get(KEY, expires_s=60, filename="회의 1.html")


def test_a_download_carries_what_keeps_browsers_safe(call: Call, get: SignedRequest) -> None:
    response = call("GET", get.url)
    assert (response.status_code, response.content) == (200, BODY)
    headers = response.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("sandbox")
    assert headers["content-disposition"].endswith("filename*=UTF-8''%ED%9A%8C%EC%9D%98%201.html")
    assert (headers["content-type"], headers["content-length"]) == ("text/html", "1024")
    assert headers["accept-ranges"] == "bytes"


def test_head_tells_the_same_without_the_body(call: Call, get: SignedRequest) -> None:
    whole, head = call("GET", get.url), call("HEAD", get.url)
    assert head.content == b""
    assert head.headers == whole.headers


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=1000-", 1000, 1024), ("bytes=-24", 1000, 1024), ("bytes=1020-9999", 1020, 1024)],
)
def test_a_range_is_a_part(call: Call, get: SignedRequest, wanted: str, start: int, end: int) -> None:
    response = call("GET", get.url, headers={"Range": wanted})
    assert (response.status_code, response.content) == (206, BODY[start:end])
    assert response.headers["content-range"] == f"bytes {start}-{end - 1}/1024"


@pytest.mark.parametrize("wanted", ["bytes=0-1,4-5", "items=0-1", "bytes=-", "bytes=5-2", "junk"])
def test_an_unknown_range_gets_everything(call: Call, get: SignedRequest, wanted: str) -> None:
    assert call("GET", get.url, headers={"Range": wanted}).status_code == 200


@pytest.mark.parametrize("wanted", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_past_the_end_is_told(call: Call, get: SignedRequest, wanted: str) -> None:
    response = call("GET", get.url, headers={"Range": wanted})
    assert code_of(response, status=416) == "range_not_satisfiable"
    assert response.headers["content-range"] == "bytes */1024"


def test_validators_are_honoured(call: Call, get: SignedRequest) -> None:
    etag = call("HEAD", get.url).headers["etag"]
    assert call("GET", get.url, headers={"If-None-Match": etag}).status_code == 304
    assert call("GET", get.url, headers={"Range": "bytes=0-1", "If-Range": etag}).status_code == 206
    assert call("GET", get.url, headers={"Range": "bytes=0-1", "If-Range": '"old"'}).status_code == 200


def test_a_missing_object_is_told(call: Call, local_store: LocalStore) -> None:
    assert code_of(call("GET", local_store.presign_get(KEY, expires_s=60).url), status=404) == "object_missing"


def test_only_known_origins_may_read_answers(call: Call, put: SignedRequest) -> None:
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example", None), ("null", None)):
        for response in (
            call("OPTIONS", put.url, headers={"Origin": origin, "Access-Control-Request-Method": "PUT"}),
            call("PUT", put.url, headers={"Origin": origin}, content=b"wrong length"),
        ):
            assert response.headers.get("access-control-allow-origin") == allowed
            assert "access-control-allow-credentials" not in response.headers


def asgi_put(
    request: SignedRequest, *, folder: Path, messages: list[dict[str, Any]], idle_timeout_s: float = 5
) -> tuple[list[dict[str, Any]], int]:
    """Drives the application directly; returns what it sent and how many messages it had read before its answer."""
    path, _, query = request.url.removeprefix("http://localhost").partition("?")
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    scope = {"type": "http", "method": "PUT", "path": path, "query_string": query.encode(), "headers": headers}
    sent: list[dict[str, Any]] = []
    read, read_before_answer = 0, -1

    async def receive() -> dict[str, Any]:
        nonlocal read
        if read == len(messages):
            await asyncio.Event().wait()
        read += 1
        return messages[read - 1]

    async def send(message: Any) -> None:
        nonlocal read_before_answer
        if not sent:
            read_before_answer = read
        sent.append(message)

    asyncio.run(blob_app(folder, idle_timeout_s=idle_timeout_s, durable=False)(scope, receive, send))
    return sent, read_before_answer


def more(size_bytes: int) -> dict[str, Any]:
    return {"type": "http.request", "body": bytes(size_bytes), "more_body": True}


@pytest.mark.parametrize(
    ("header", "value", "status"), [("Content-Type", "text/html", 415), ("Content-Length", "5000000000", 413)]
)
def test_a_refusal_reads_nothing_before_and_little_after_its_answer(
    local_store: LocalStore, tmp_path: Path, header: str, value: str, status: int
) -> None:
    request = local_store.presign_put(KEY, size_bytes=10**9, content_type="audio/wav", expires_s=60)
    request.headers[header] = value
    sent, read_before_answer = asgi_put(request, folder=tmp_path / "store", messages=[more(65_536)] * 100)
    assert (sent[0]["status"], read_before_answer) == (status, 0)
    assert sent[-1] == {"type": "http.response.body"}


def test_a_client_that_leaves_in_the_middle_leaves_nothing(local_store: LocalStore, tmp_path: Path) -> None:
    request = local_store.presign_put(KEY, size_bytes=10**9, content_type="audio/wav", expires_s=60)
    messages = [*[more(300_000)] * 5, {"type": "http.disconnect"}]
    sent, _ = asgi_put(request, folder=tmp_path / "store", messages=messages)
    assert sent == []
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def test_a_stalled_client_is_given_up(local_store: LocalStore, tmp_path: Path) -> None:
    request = local_store.presign_put(KEY, size_bytes=10**9, content_type="audio/wav", expires_s=60)
    sent, _ = asgi_put(request, folder=tmp_path / "store", messages=[more(300_000)], idle_timeout_s=0.2)
    assert sent[0]["status"] == 408
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def test_a_cancelled_upload_leaves_nothing(local_store: LocalStore, tmp_path: Path) -> None:
    request = local_store.presign_put(KEY, size_bytes=10**9, content_type="audio/wav", expires_s=60)
    path, _, query = request.url.removeprefix("http://localhost").partition("?")
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    scope = {"type": "http", "method": "PUT", "path": path, "query_string": query.encode(), "headers": headers}

    async def cancel_in_the_middle() -> None:
        arrived = asyncio.Event()
        messages = [more(300_000)] * 3

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            arrived.set()
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Any) -> None:
            raise AssertionError(message)

        upload = asyncio.ensure_future(
            blob_app(tmp_path / "store", idle_timeout_s=5, durable=False)(scope, receive, send)
        )
        await arrived.wait()
        upload.cancel()
        await asyncio.wait({upload})
        assert upload.cancelled()

    asyncio.run(cancel_in_the_middle())
    assert [found for found in (tmp_path / "store").rglob("*") if found.is_file()] == []


def test_a_cancelled_call_in_a_thread_is_seen_to_its_end() -> None:
    started, released, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        released.wait(5)
        ended.set()

    async def cancel() -> None:
        task = asyncio.ensure_future(in_thread(work))
        await asyncio.to_thread(started.wait, 5)
        task.cancel()
        asyncio.get_running_loop().call_later(0.05, released.set)
        await asyncio.wait({task})
        assert task.cancelled()
        assert ended.is_set()

    asyncio.run(cancel())

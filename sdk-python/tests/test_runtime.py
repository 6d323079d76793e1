"""Retries, errors, lists, raw answers and logs."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import parlance
from parlance import Parlance

Make = Callable[..., Parlance]
KEY = "parl_test_key"
URL = "https://speech.test"
TRANSCRIPTION: dict[str, Any] = {
    "id": "trn_1", "object": "transcription", "livemode": False, "status": "completed",
    "created": "2026-11-25T10:00:00Z",
    "started_at": None, "finished_at": None, "engine": "simulated", "quality": "simulated", "model": None,
    "task": "transcribe", "language": "en", "duration_ms": 1000,
    "progress": {"done_ms": 1, "total_ms": 1, "percent": 100},
    "reused_from": None, "url": f"{URL}/v1/transcriptions/trn_1", "cost": {"amount": "0.0100", "currency": "USD"},
    "filename": None, "metadata": {}, "tags": [], "routing": None, "warnings": [], "error": None, "text": "hello",
}  # fmt: skip


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    body = {
        "type": f"{URL}/problems/{code}", "title": "T", "status": status, "detail": "D.", "code": code,
        "request_id": "req_1",
    }  # fmt: skip
    return httpx.Response(status, json=body, headers=headers)


class Scripted:
    """Answers one after the other; an exception is raised."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ok(body: Any = TRANSCRIPTION, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body, headers={"request-id": "req_ok"})


def test_every_attempt_carries_the_same_idempotency_key(client_of: Make) -> None:
    server = Scripted(
        httpx.ReadError("cut"), problem(503, "unavailable"), problem(500, "internal_error"), ok(status=202)
    )
    client_of(server).transcriptions.create(audio_url="https://example.com/a.wav")
    keys = {request.headers["idempotency-key"] for request in server.requests}
    assert (len(server.requests), len(keys)) == (4, 1)
    assert len({request.content for request in server.requests}) == 1


def test_two_calls_have_two_keys(client_of: Make) -> None:
    server = Scripted(ok(), ok())
    client = client_of(server)
    for _ in range(2):
        client.transcriptions.create(audio_url="https://example.com/a.wav")
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 2


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("late"), problem(500, "internal_error")])
def test_a_post_without_a_key_is_not_repeated_when_it_may_have_been_taken(client_of: Make, answer: Any) -> None:
    server = Scripted(answer, ok())
    with pytest.raises(parlance.ParlanceError):
        client_of(server).deliveries.resend("dlv_1")
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [httpx.ConnectError("refused"), problem(429, "rate_limited")])
def test_it_is_repeated_when_it_was_not(client_of: Make, answer: Any) -> None:
    server = Scripted(answer, problem(404, "not_found"))
    with pytest.raises(parlance.NotFound):
        client_of(server).deliveries.resend("dlv_1")
    assert len(server.requests) == 2


def test_it_waits_as_long_as_the_server_asks(client_of: Make, waited: list[float]) -> None:
    client_of(Scripted(problem(429, "rate_limited", **{"retry-after": "7"}), ok())).transcriptions.get("trn_1")
    assert 7 <= waited[0] < 7.3


def test_it_does_not_hang_when_the_server_asks_for_an_hour(client_of: Make, waited: list[float]) -> None:
    with pytest.raises(parlance.RateLimited) as caught:
        client_of(Scripted(problem(429, "rate_limited", **{"retry-after": "3600"}))).transcriptions.get("trn_1")
    assert (caught.value.retry_after, caught.value.retryable, waited) == (3600, True, [])


def test_it_gives_up_after_max_retries(client_of: Make, waited: list[float]) -> None:
    server = Scripted(*[httpx.ConnectError("refused")] * 3)
    with pytest.raises(parlance.ConnectionFailed, match="base_url"):
        client_of(server, max_retries=2).transcriptions.get("trn_1")
    assert (len(server.requests), len(waited)) == (3, 2)


ERRORS = {
    400: "BadRequest", 401: "AuthenticationFailed", 402: "PaymentRequired", 403: "PermissionDenied", 404: "NotFound",
    409: "Conflict", 413: "BadRequest", 422: "InvalidRequest", 429: "RateLimited", 500: "ServerFault",
    504: "ServerFault",
}  # fmt: skip


@pytest.mark.parametrize("status", ERRORS)
def test_each_cause_has_its_error(client_of: Make, status: int) -> None:
    with pytest.raises(parlance.ApiError) as caught:
        client_of(Scripted(problem(status, "some_code")), max_retries=0).transcriptions.get("trn_1")
    error = caught.value
    assert type(error).__name__ == ERRORS[status]
    assert (error.status, error.code, error.request_id) == (status, "some_code", "req_1")
    assert error.docs_url == f"{URL}/problems/some_code"
    assert error.retryable == (status in {429, 500, 504})


def test_every_error_has_what_a_catcher_asks_for() -> None:
    for kind in vars(parlance).values():
        if isinstance(kind, type) and issubclass(kind, parlance.ParlanceError):
            for name in ("code", "retryable", "retry_after", "request_id", "docs_url", "errors"):
                assert hasattr(kind, name) or issubclass(kind, parlance.ApiError)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'"x"', b"null"])
def test_an_answer_that_is_none_of_ours_is_an_error(client_of: Make, body: bytes) -> None:
    for path in ("get", "list"):
        client = client_of(Scripted(httpx.Response(200, content=body, headers={"content-type": "text/html"})))
        with pytest.raises(parlance.UnexpectedAnswer, match="text/html, not JSON"):
            client.transcriptions.get("trn_1") if path == "get" else list(client.transcriptions.list())


@pytest.mark.parametrize("body", [b"[]", b"{}", b'"x"', b"null", b"{"])
def test_json_of_another_shape_is_an_error(client_of: Make, body: bytes) -> None:
    for path in ("get", "list"):
        client = client_of(Scripted(httpx.Response(200, content=body, headers={"content-type": "application/json"})))
        with pytest.raises(parlance.UnexpectedAnswer, match="older than the server"):
            client.transcriptions.get("trn_1") if path == "get" else list(client.transcriptions.list())


def test_a_redirect_is_told_and_no_text_goes_elsewhere(client_of: Make) -> None:
    for call in (
        lambda client: client.usage.get(),
        lambda client: client.speak("secret"),
        lambda client: client.transcriptions.create(audio_url="https://example.com/a"),
    ):
        server = Scripted(httpx.Response(308, headers={"location": "https://elsewhere.test/"}))
        with pytest.raises(parlance.UnexpectedAnswer, match="base_url"):
            call(client_of(server))


def test_a_list_goes_on_over_its_pages(client_of: Make) -> None:
    def page(number: int, cursor: str | None) -> httpx.Response:
        row = TRANSCRIPTION | {"id": f"trn_{number}"}
        return ok({"object": "list", "data": [row], "has_more": cursor is not None, "next_cursor": cursor})

    server = Scripted(page(1, "c1"), page(2, "c2"), page(3, None))
    found = [one.id for one in client_of(server).transcriptions.list(limit=1, tag="a b")]
    assert found == ["trn_1", "trn_2", "trn_3"]
    assert [request.url.params.get("cursor") for request in server.requests] == [None, "c1", "c2"]
    assert {request.url.params["tag"] for request in server.requests} == {"a b"}


def test_a_raw_response_has_the_headers_and_the_value(client_of: Make) -> None:
    raw = client_of(Scripted(ok())).transcriptions.with_raw_response.get("trn_1")
    assert (raw.status, raw.request_id, raw.parsed.text) == (200, "req_ok", "hello")


def test_the_page_of_a_list_has_them_too(client_of: Make) -> None:
    page = {"object": "list", "data": [TRANSCRIPTION], "has_more": True, "next_cursor": "c1"}
    server = Scripted(ok(page))
    raw = client_of(server).transcriptions.with_raw_response.list(cursor="c0")
    assert (raw.request_id, raw.parsed.data[0].id, raw.parsed.next_cursor) == ("req_ok", "trn_1", "c1")
    assert [request.url.params["cursor"] for request in server.requests] == ["c0"]


def test_what_is_left_out_is_not_sent_and_null_is(client_of: Make) -> None:
    server = Scripted(problem(404, "not_found"), problem(404, "not_found"))
    client = client_of(server)
    for call in (
        lambda: client.webhook_endpoints.update("whe_1", rate_per_s=None),
        lambda: client.transcriptions.create(audio_url="https://example.com/a", diarize=None),
    ):
        with pytest.raises(parlance.NotFound):
            call()
    assert [json.loads(one.content) for one in server.requests] == [
        {"rate_per_s": None},
        {"audio_url": "https://example.com/a"},
    ]


def test_newer_servers_are_understood(client_of: Make) -> None:
    newer = TRANSCRIPTION | {"mood": "calm", "quality": "excellent"}
    found = client_of(Scripted(ok(newer))).transcriptions.get("trn_1")
    assert (found.quality, found.model_extra) == ("excellent", {"mood": "calm"})


def test_an_id_cannot_become_another_path(client_of: Make) -> None:
    server = Scripted(ok())
    client_of(server).transcriptions.get("../usage")
    assert server.requests[0].url.raw_path == b"/v1/transcriptions/..%2Fusage"
    with pytest.raises(ValueError, match="empty"):
        client_of(server).transcriptions.get("")


def test_the_log_holds_no_key_no_text_and_no_query(client_of: Make, caplog: pytest.LogCaptureFixture) -> None:
    ticket = {
        "id": "upl_1", "object": "upload", "livemode": False, "status": "pending", "filename": "a", "size_bytes": 6,
        "content_type": "audio/wav", "created": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T00:00:00Z",
        "upload": {"method": "PUT", "url": "https://files.test/a?signature=secret-signature", "headers": {}},
    }  # fmt: skip
    empty = {"object": "list", "data": [], "has_more": False, "next_cursor": None}
    there = httpx.Response(302, headers={"location": "https://files.test/b?signature=secret-signature"})
    with caplog.at_level(logging.DEBUG):
        client = client_of(Scripted(ok(empty), ok(), ok(ticket), ok(), there, ok()))
        list(client.transcriptions.list(tag="secret-tag"))
        client.transcriptions.create(audio_url="https://example.com/secret-url", prompt="secret-prompt")
        client.upload(b"secret")
        client.speech.audio("spc_1").read()
        httpx.Client(transport=httpx.MockTransport(Scripted(ok()))).get("https://own.test/?query=own")
    assert "POST /v1/transcriptions" in caplog.text
    assert "PUT https://files.test/a " in caplog.text  # httpx's own line
    assert "https://own.test/?query=own" in caplog.text
    assert KEY not in caplog.text
    assert "secret" not in caplog.text
    assert KEY not in repr(client._transport.settings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_key": " "}, {"api_key": "a b"}, {"base_url": "ftp://x"}, {"base_url": "x"}, {"max_retries": -1},
        {"proxy": "ftp://x"}, {"proxy": "http://x:port"},
        {"proxy": "http://x", "transport": httpx.HTTPTransport()}, {"proxy": "http://x", "http_client": httpx.Client()},
    ],
)  # fmt: skip
def test_a_client_that_cannot_work_is_not_made(wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARLANCE_API_KEY", raising=False)
    with pytest.raises(parlance.ConfigurationError):
        Parlance(**({"api_key": "k"} | wrong))


def test_key_and_url_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLANCE_API_KEY", "parl_env")
    monkeypatch.setenv("PARLANCE_API_URL", "https://speech.example.com/v1/")
    server = Scripted(ok())
    with Parlance(transport=httpx.MockTransport(server)) as client:
        client.transcriptions.get("trn_1", wait_s=30)
    (request,) = server.requests
    assert str(request.url) == "https://speech.example.com/v1/transcriptions/trn_1"
    assert request.headers["authorization"] == "Bearer parl_env"
    assert request.headers["prefer"] == "wait=30"
    assert request.extensions["timeout"] == {"connect": 5.0, "read": 90.0, "write": 60.0, "pool": 60.0}


def test_a_stream_goes_on_behind_its_last_event(client_of: Make) -> None:
    segment = '{"id":%d,"start_ms":0,"end_ms":1,"text":"a"}'
    first = f"retry: 1\n\nevent: segment\nid: 1\ndata: {segment % 0}\n\nevent: segment\nid: 2\nda".encode()
    then = f": hi\n\nevent: segment\nid: 2\ndata: {segment % 1}\n\nevent: completed\nid: end\ndata: "
    then_bytes = then.encode() + json.dumps(TRANSCRIPTION).encode() + b"\n\n"
    kind = {"content-type": "text/event-stream"}
    server = Scripted(
        httpx.Response(200, content=first, headers=kind), httpx.Response(200, content=then_bytes, headers=kind)
    )
    with client_of(server).transcriptions.stream("trn_1") as stream:
        found = [(event.name, type(event.data).__name__) for event in stream]
    assert found == [("segment", "Segment"), ("segment", "Segment"), ("completed", "Transcription")]
    assert [request.headers.get("last-event-id") for request in server.requests] == [None, "1"]


def test_canceling_a_task_ends_its_call() -> None:
    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    async def program() -> None:
        async with parlance.AsyncParlance(api_key=KEY, base_url=URL, transport=httpx.MockTransport(hang)) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.transcriptions.get("trn_1"), 0.02)

    asyncio.run(program())

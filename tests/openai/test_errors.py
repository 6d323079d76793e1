"""Every failure reaches the SDK's user as the SDK's own exception, with a message, a code and the request's id."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import psycopg
import pytest
from openai import OpenAI
from stack import Stack, Tenant

from tests.api.calls import raw, raw_request, tenant_uuid
from tests.api.media import FORM, form, part, tone, wav

SDK = Callable[..., OpenAI]
PATH = "/v1/audio/transcriptions"


def _error(make: Callable[[], Any], kind: type[openai.APIStatusError], code: str) -> openai.APIStatusError:
    with pytest.raises(kind) as caught:
        make()
    error = caught.value
    assert isinstance(error.body, dict)
    assert error.body.keys() == {"message", "type", "param", "code"}
    assert error.code == code
    assert error.request_id
    assert error.message.endswith(error.body["message"])
    return error


def _hear(client: OpenAI, data: bytes, **options: Any) -> Any:
    return client.audio.transcriptions.create(file=("a.wav", data), **({"model": "simulated"} | options))


def test_a_wrong_key_is_an_authentication_error(sdk: SDK, clip: bytes) -> None:
    error = _error(lambda: _hear(sdk("sk-nobody"), clip), openai.AuthenticationError, "invalid_api_key")
    assert error.type == "invalid_request_error"
    _error(lambda: sdk("sk-nobody").models.list(), openai.AuthenticationError, "invalid_api_key")


def test_a_key_without_the_scope_is_a_permission_error(sdk: SDK, stack: Stack, anna: Tenant, clip: bytes) -> None:
    made = json.loads(stack.parlance("key", "create", anna.id, "--json", "--scope", "transcriptions:read"))
    error = _error(lambda: _hear(sdk(made["api_key"]), clip), openai.PermissionDeniedError, "scope_missing")
    assert error.type == "permission_error"


def test_a_key_that_may_only_write_gets_its_answer(sdk: SDK, stack: Stack, anna: Tenant, spoken: bytes) -> None:
    """The worker's engine takes its time, so the front layer asks for the answer after a wait."""
    made = json.loads(stack.parlance("key", "create", anna.id, "--json", "--scope", "transcriptions:write"))
    assert _hear(sdk(made["api_key"]), spoken, model="pocketsphinx").text


def test_an_unknown_model_is_not_found(sdk: SDK, anna: Tenant, clip: bytes) -> None:
    error = _error(lambda: _hear(sdk(anna.api_key), clip, model="whisper-9"), openai.NotFoundError, "model_not_found")
    assert error.param == "model"
    assert "whisper-1" in error.message


def test_what_no_engine_can_is_a_bad_request(sdk: SDK, anna: Tenant, clip: bytes) -> None:
    client = sdk(anna.api_key)
    for options in (
        {"model": "whisper-1", "language": "ko"},
        {"model": "gpt-4o-transcribe-diarize", "response_format": "diarized_json"},
        {"model": "pocketsphinx", "prompt": "Names: Ada"},
    ):
        error = _error(lambda options=options: _hear(client, clip, **options), openai.BadRequestError, "no_engine")
        assert "simulated" in error.message


BAD_AUDIO = {
    "no bytes": (b"", "media_empty"),
    "a text": (b"Dear Sir or Madam, this is a letter and nothing else. " * 40, "media_not_audio"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(2_000), "media_not_audio"),
    "a header alone": (tone(1_000)[:44], "media_empty"),
}


@pytest.mark.parametrize(("data", "code"), BAD_AUDIO.values(), ids=BAD_AUDIO.keys())
def test_what_is_no_recording_is_a_bad_request(sdk: SDK, anna: Tenant, data: bytes, code: str) -> None:
    """The name and the type say WAV: neither is believed."""
    error = _error(lambda: _hear(sdk(anna.test_api_key), data), openai.BadRequestError, code)
    assert error.param == "file"


def test_a_job_that_fails_for_good_is_a_bad_request(sdk: SDK, anna: Tenant, clip: bytes) -> None:
    error = _error(
        lambda: _hear(sdk(anna.test_api_key), clip, extra_body={"audio_start_ms": 60_000}),
        openai.BadRequestError,
        "audio_range_empty",
    )
    assert error.response.headers["x-parlance-transcription-id"].startswith("trn_")


def test_an_engine_in_trouble_is_an_internal_error_to_be_tried_again(sdk: SDK, anna: Tenant, clip: bytes) -> None:
    error = _error(
        lambda: _hear(sdk(anna.test_api_key), clip, extra_body={"simulate": "transient_error"}),
        openai.InternalServerError,
        "simulated_transient_error",
    )
    assert (error.status_code, error.type) == (503, "server_error")
    assert (error.response.headers["x-should-retry"], error.response.headers["retry-after"]) == ("true", "5")


def test_missing_money_is_told_as_openai_tells_it_and_not_tried_again(
    sdk: SDK, stack: Stack, database: psycopg.Connection[Any], clip: bytes
) -> None:
    tenant = stack.tenant("poor")
    database.execute(
        "INSERT INTO wallet (tenant_id, currency, balance, held, credit_limit) VALUES (%s, 'USD', 0, 0, 0)",
        [tenant_uuid(tenant)],
    )
    client = sdk(tenant.api_key, max_retries=2)
    error = _error(lambda: _hear(client, clip), openai.RateLimitError, "insufficient_quota")
    assert error.type == "insufficient_quota"
    assert error.response.headers["x-should-retry"] == "false"
    assert error.response.request.headers["x-stainless-retry-count"] == "0"


def test_a_suspended_tenant_is_told_so(sdk: SDK, stack: Stack, database: psycopg.Connection[Any], clip: bytes) -> None:
    tenant = stack.tenant("suspended here")
    database.execute("UPDATE tenant SET status = 'suspended' WHERE id = %s", [tenant_uuid(tenant)])
    _error(lambda: _hear(sdk(tenant.api_key), clip), openai.PermissionDeniedError, "tenant_suspended")


def test_a_canceled_job_is_a_conflict_that_is_not_tried_again(sdk: SDK, stack: Stack, clip: bytes) -> None:
    tenant = stack.tenant("cancels")
    client = sdk(tenant.api_key, max_retries=2)
    with ThreadPoolExecutor() as threads:
        # A stream is never run in the web process, so that there is a job to cancel.
        slow = {"stream": True, "extra_body": {"simulate": "slow:60000"}}
        waiting = threads.submit(lambda: list(_hear(client, clip, **slow)))
        job = _only_job(tenant)
        assert tenant.live.post(f"/v1/transcriptions/{job}/cancel").status_code == 200
        with pytest.raises(openai.APIError) as caught:
            waiting.result(timeout=30)
    assert caught.value.code == "canceled"
    assert [each["id"] for each in tenant.live.get("/v1/transcriptions").json()["data"]] == [job]


def _only_job(tenant: Tenant) -> str:
    for _ in range(2_000):
        if rows := tenant.live.get("/v1/transcriptions").json()["data"]:
            return str(rows[0]["id"])
    raise AssertionError("no job appeared")


def test_a_wait_that_is_over_names_the_job_that_goes_on(sdk: SDK, anna: Tenant) -> None:
    """Two channels are two parts, which workers hear; the same wait again, as a retry, brings the text."""
    stereo = wav(tone(800)[44:], channels=2)
    client = sdk(anna.test_api_key)
    slow: Any = {"extra_body": {"simulate": "slow:2500", "multichannel": True}}
    error = _error(
        lambda: _hear(client, stereo, extra_headers={"Prefer": "wait=1"}, **slow),
        openai.InternalServerError,
        "not_done_in_time",
    )
    assert error.status_code == 504
    job = error.response.headers["x-parlance-transcription-id"]
    assert job in error.message
    again = _hear(client, stereo, extra_headers={"x-stainless-retry-count": "1"}, **slow)
    assert again.x_parlance["id"] == job


FRONT = {
    "an unknown path": ("GET", "/v1/audio/nothing", 404, "not_found"),
    "an unknown model": ("GET", "/v1/models/none/at/all", 404, "model_not_found"),
    "another method": ("GET", PATH, 405, "method_not_allowed"),
    "another method on models": ("POST", "/v1/models", 405, "method_not_allowed"),
    "the hidden path": ("GET", f"{PATH}/trn_00000000000000000000000001", 404, "not_found"),
}


@pytest.mark.parametrize(("method", "path", "status", "code"), FRONT.values(), ids=FRONT.keys())
def test_the_front_layer_speaks_openais_shape_too(anna: Tenant, method: str, path: str, status: int, code: str) -> None:
    answer = anna.live.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == answer.headers["request-id"]


def test_native_routes_keep_problem_details(anna: Tenant) -> None:
    for path in ("/v1/transcriptions/trn_1", "/v1/nothing", "/v1/models-of-mine"):
        answer = anna.live.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
        assert "x-request-id" not in answer.headers


def test_a_key_is_checked_before_the_body_is_read(stack: Stack) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: {FORM.decode()}\r\n".encode()
    answer = raw(stack.url, head + b"content-length: 10000000000\r\n\r\n" + b"x" * 100_000, timeout_s=10)
    assert (answer.status, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert (answer.headers["connection"], bool(answer.headers["x-request-id"])) == ("close", True)


def test_a_body_that_is_too_large_is_refused(anna: Tenant) -> None:
    fields = [part(f"metadata[{number}]", b"x" * 60_000) for number in range(20)]
    body = form(*fields, part("file", tone(), filename=b"a.wav"))
    answer = raw_request(anna.live, "POST", PATH, body=body, headers=[("content-type", FORM)])
    assert (answer.status, answer.json()["error"]["code"]) == (413, "body_too_large")


def test_another_tenants_jobs_cannot_be_asked_for_by_the_hidden_path(
    sdk: SDK, anna: Tenant, oscar: Tenant, clip: bytes
) -> None:
    job = _hear(sdk(anna.api_key), clip).x_parlance["id"]
    answers = [
        (answer.status_code, answer.json()["error"]["code"])
        for client in (oscar.live, anna.test, anna.live)
        for answer in [client.get(f"{PATH}/{job}", headers={"x-parlance-wait": job, "parlance.waited": job})]
    ]
    assert answers == [(404, "not_found")] * 3

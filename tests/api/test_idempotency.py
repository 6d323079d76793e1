"""`Idempotency-Key`: one key makes one job, whatever the network does."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from stack import Tenant

from tests.api.calls import Answer, check_problem, order, raw_at_once, upload
from tests.api.conftest import FileServer
from tests.api.media import FORM, form, part, tone

PARALLEL = 30
PATH = "/v1/transcriptions"


def test_a_repeat_answers_with_the_same_job(alice_http: Tenant, clip: bytes) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    first, again = (order(alice_http.live, clip, headers=key) for _ in range(2))
    assert first.status_code == again.status_code == 202
    assert first.json()["id"] == again.json()["id"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_repeat_that_waits_is_told_so_too(alice_http: Tenant, clip: bytes) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    first = order(alice_http.live, clip, headers=key, simulate="slow:1500")
    again = order(alice_http.live, clip, headers=key | {"Prefer": "wait=30"}, simulate="slow:1500")
    assert (again.json()["id"], again.json()["status"]) == (first.json()["id"], "completed")
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_quoted_key_is_the_bare_one(alice_http: Tenant, clip: bytes) -> None:
    key = uuid4().hex
    ids = {order(alice_http.live, clip, headers={"Idempotency-Key": form}).json()["id"] for form in (key, f'"{key}"')}
    assert len(ids) == 1


@pytest.mark.parametrize("other", [{"language": "ko"}, {"metadata": '{"a":"1"}'}, {"file": "another"}])
def test_another_request_under_the_same_key_is_refused(alice_http: Tenant, clip: bytes, other: dict[str, str]) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    assert order(alice_http.live, clip, headers=key).status_code == 202
    fields = {name: value for name, value in other.items() if name != "file"}
    refused = order(alice_http.live, tone(seed=7) if "file" in other else clip, headers=key, **fields)
    check_problem(refused, 422, "idempotency_key_reused")


def test_another_tenants_or_modes_key_is_its_own(alice_http: Tenant, charlie_http: Tenant, clip: bytes) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    made = [order(client, clip, headers=key) for client in (alice_http.live, alice_http.test, charlie_http.live)]
    assert len({answer.json()["id"] for answer in made}) == 3
    assert not any("Idempotency-Replayed" in answer.headers for answer in made)


@pytest.mark.parametrize("key", ["", '""', "k" * 256, "a\tb"])
def test_a_key_that_is_none_is_refused(alice_http: Tenant, clip: bytes, key: str) -> None:
    check_problem(order(alice_http.live, clip, headers={"Idempotency-Key": key}), 400, "invalid_idempotency_key")


def _at_once(tenant: Tenant, body: bytes, content_type: bytes, key: str | None) -> list[Answer]:
    headers = [("content-type", content_type)] + ([("idempotency-key", key.encode())] if key else [])
    return raw_at_once(tenant.live, "POST", PATH, body=body, headers=headers, times=PARALLEL)


def _json(**fields: str) -> bytes:
    return json.dumps({"engine": "simulated"} | fields).encode()


def test_thirty_files_at_once_make_one_job(alice_http: Tenant, clip: bytes) -> None:
    body = form(part("file", clip, filename=b"a.wav"), part("engine", b"simulated"))
    answers = _at_once(alice_http, body, FORM, uuid4().hex)
    assert {answer.status for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1


def test_thirty_urls_at_once_make_one_job(alice_http: Tenant, clip: bytes, file_server: FileServer) -> None:
    body = _json(audio_url=file_server.serve("/once.wav", clip))
    answers = _at_once(alice_http, body, b"application/json", uuid4().hex)
    assert {answer.status for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1


def test_thirty_at_once_with_one_upload_make_one_job(alice_http: Tenant, clip: bytes) -> None:
    body = _json(upload_id=upload(alice_http.live, clip))
    answers = _at_once(alice_http, body, b"application/json", uuid4().hex)
    assert {answer.status for answer in answers} == {202}, {answer.body for answer in answers}
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_thirty_at_once_without_a_key_use_one_upload_once(alice_http: Tenant, clip: bytes) -> None:
    body = _json(upload_id=upload(alice_http.live, clip))
    answers = _at_once(alice_http, body, b"application/json", None)
    assert sorted(answer.status for answer in answers) == [202] + [409] * (PARALLEL - 1)
    for answer in answers:
        if answer.status == 409:
            check_problem(answer, 409, "upload_used")

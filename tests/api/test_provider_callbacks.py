"""Providers bring results to a secret path, without a key; whoever guesses learns nothing."""

from __future__ import annotations

import httpx
from stack import Tenant

from tests.api.calls import check_problem, transcribe, upload


def test_a_provider_calls_back_and_the_job_ends(alice_http: Tenant, clip: bytes) -> None:
    body = {"upload_id": upload(alice_http.test, clip), "simulate": "cloud:call:200"}
    shown = alice_http.test.post("/v1/transcriptions", json=body, headers={"Prefer": "wait=30"}).json()

    assert (shown["status"], shown["engine"]) == ("completed", "simulated-cloud")


def test_a_job_whose_provider_fails_tells_every_attempt(alice_http: Tenant, clip: bytes) -> None:
    body = {"upload_id": upload(alice_http.test, clip), "simulate": "cloud:fail:auth"}
    shown = alice_http.test.post("/v1/transcriptions", json=body, headers={"Prefer": "wait=30"}).json()

    assert (shown["status"], shown["engine"]) == ("completed", "simulated")
    [told] = shown["routing"]["attempts"]
    assert (told["engine"], told["code"], told["start_ms"]) == ("simulated-cloud", "simulated_auth", 0)
    assert told["detail"].endswith(".")


def test_the_providers_own_answer_is_there_as_long_as_the_text(alice_http: Tenant, clip: bytes) -> None:
    client = alice_http.live
    made = transcribe(client, clip, engine="simulated-cloud")
    path = f"/v1/transcriptions/{made['id']}/raw"
    [part] = client.get(path).json()["data"]

    assert (part["engine"], part["start_ms"], part["end_ms"]) == ("simulated-cloud", 0, made["duration_ms"])
    raw = httpx.get(part["download_url"], trust_env=False)
    assert (raw.headers["content-type"], len(raw.content)) == ("application/json", part["size_bytes"])
    assert raw.json()["text"] == made["text"]
    client.delete(f"/v1/transcriptions/{made['id']}")
    assert client.get(path).status_code in {404, 409}
    assert httpx.get(part["download_url"], trust_env=False).status_code == 404


def test_an_engine_of_this_machine_has_no_other_answer(alice_http: Tenant, clip: bytes) -> None:
    made = transcribe(alice_http.live, clip)
    assert alice_http.live.get(f"/v1/transcriptions/{made['id']}/raw").json()["data"] == []


def test_there_is_no_answer_of_a_job_that_failed(alice_http: Tenant, clip: bytes) -> None:
    made = transcribe(alice_http.live, clip, engine="simulated-cloud", simulate="cloud:fail:bad_audio")
    check_problem(alice_http.live.get(f"/v1/transcriptions/{made['id']}/raw"), status=409, code="no_transcript")


def test_a_path_that_is_nobodys_is_not_found(nobody_http: httpx.Client) -> None:
    for token in ("", "guessed", "A" * 76, "../transcriptions"):
        answer = nobody_http.post(f"/v1/callbacks/{token}", content=b"{}")
        assert answer.status_code in {401, 404}
        assert token not in answer.text or not token
    assert nobody_http.get("/v1/callbacks/guessed").status_code == 405

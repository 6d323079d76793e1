"""Providers bring results to a secret path, without a key; whoever guesses learns nothing."""

from __future__ import annotations

import httpx
from stack import Tenant

from tests.api.calls import upload


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


def test_a_path_that_is_nobodys_is_not_found(nobody_http: httpx.Client) -> None:
    for token in ("", "guessed", "A" * 76, "../transcriptions"):
        answer = nobody_http.post(f"/v1/callbacks/{token}", content=b"{}")
        assert answer.status_code in {401, 404}
        assert token not in answer.text or not token
    assert nobody_http.get("/v1/callbacks/guessed").status_code == 405

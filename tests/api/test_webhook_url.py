"""Events of one job to its own URL, and events with their text, from a running stack."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest
from stack import Tenant
from standardwebhooks import Webhook

from tests.api.calls import check_problem, ended, order
from tests.api.conftest import FileServer
from tests.api.media import tone

_numbers = itertools.count()


@pytest.fixture
def hook(file_server: FileServer) -> str:
    """A URL that nobody has named before."""
    return f"{file_server.url}/job-hook-{next(_numbers)}"


def told(server: FileServer, url: str, *, count: int = 1) -> list[tuple[dict[str, str], bytes]]:
    """What was posted to the URL, once there is so much of it."""
    path, until = url.removeprefix(server.url), time.monotonic() + 20
    while True:
        found = [(headers, body) for where, headers, body in server.posted if where == path]
        if len(found) >= count or time.monotonic() > until:
            return found
        time.sleep(0.02)


def delivered(tenant: Tenant, endpoint_id: str) -> Any:
    """The endpoint's only delivery, once it is known to have arrived."""
    until = time.monotonic() + 20
    while True:
        [delivery] = tenant.live.get("/v1/deliveries", params={"endpoint_id": endpoint_id}).json()["data"]
        if delivery["state"] == "delivered" or time.monotonic() > until:
            return delivery
        time.sleep(0.02)


def verified(tenant: Tenant, headers: dict[str, str], body: bytes) -> Any:
    secret = tenant.live.get("/v1/webhook-endpoints/job-secret").json()["secret"]
    return Webhook(secret).verify(body, headers)


@pytest.mark.parametrize("prefer", [{}, {"Prefer": "wait=20"}])
def test_a_jobs_own_url_hears_of_its_end(
    alice_http: Tenant, file_server: FileServer, hook: str, prefer: dict[str, str]
) -> None:
    job = order(alice_http.live, tone(1_000, seed=77), headers=prefer, webhook_url=hook).json()
    ended(alice_http.live, job["id"])
    [(headers, body)] = told(file_server, hook)
    event = verified(alice_http, headers, body)
    assert (event["type"], event["data"]["id"]) == ("transcription.completed", job["id"])
    assert event["data"]["url"].endswith(f"/v1/transcriptions/{job['id']}")
    assert "text" not in event["data"]


def test_only_the_job_that_named_the_url_is_told_there(alice_http: Tenant, file_server: FileServer, hook: str) -> None:
    first = order(alice_http.live, tone(500), webhook_url=hook).json()["id"]
    second = order(alice_http.live, tone(500)).json()["id"]
    for job in (first, second):
        ended(alice_http.live, job)
    told(file_server, hook)
    assert {json.loads(body)["data"]["id"] for _, body in told(file_server, hook)} == {first}


def test_speech_has_its_url_too(alice_http: Tenant, file_server: FileServer, hook: str) -> None:
    body = {"text": "tell my own hook", "engine": "simulated", "format": "wav", "webhook_url": hook}
    spoken = alice_http.live.post("/v1/speech", json=body)
    assert spoken.status_code == 200
    [(headers, told_body)] = told(file_server, hook)
    event = verified(alice_http, headers, told_body)
    assert event["type"] == "speech.completed"
    assert event["data"]["url"].endswith(spoken.headers["location"])


@pytest.mark.parametrize("url", ["http://169.254.169.254/x", "http://127.0.0.1:1/x", "ftp://a.example/x", "nonsense"])
def test_a_url_that_no_event_may_go_to_is_refused(alice_http: Tenant, url: str) -> None:
    refused = check_problem(order(alice_http.live, tone(500), webhook_url=url), 422, "url_blocked")
    assert refused["errors"][0]["field"] == "webhook_url"
    speech = {"text": "hello", "engine": "simulated", "webhook_url": url}
    check_problem(alice_http.live.post("/v1/speech", json=speech), 422, "url_blocked")


@pytest.mark.parametrize("prefer", [{}, {"Prefer": "wait=20"}])
def test_an_endpoint_that_asked_for_text_gets_it(
    alice_http: Tenant, file_server: FileServer, hook: str, prefer: dict[str, str]
) -> None:
    made = {"url": hook, "event_types": ["transcription.completed"], "include": ["text"]}
    endpoint = alice_http.live.post("/v1/webhook-endpoints", json=made).json()
    job = order(alice_http.live, tone(1_500, seed=5), headers=prefer, simulate="says:hello there").json()
    ended(alice_http.live, job["id"])
    bodies = [json.loads(body)["data"] for _, body in told(file_server, hook)]
    assert [data["text"] for data in bodies if data["id"] == job["id"]] == ["hello there"]
    alice_http.live.delete(f"/v1/webhook-endpoints/{endpoint['id']}")


def test_the_text_of_a_deleted_job_is_in_no_later_attempt(
    alice_http: Tenant, file_server: FileServer, hook: str
) -> None:
    made = {"url": hook, "event_types": ["transcription.completed"], "include": ["text"]}
    endpoint = alice_http.live.post("/v1/webhook-endpoints", json=made).json()
    job = ended(alice_http.live, order(alice_http.live, tone(700, seed=6), simulate="says:forget me").json()["id"])
    told(file_server, hook)
    alice_http.live.delete(f"/v1/transcriptions/{job['id']}")
    delivery = delivered(alice_http, endpoint["id"])
    assert alice_http.live.post(f"/v1/deliveries/{delivery['id']}/resend").status_code == 202
    again = json.loads(told(file_server, hook, count=2)[1][1])["data"]
    assert (again["text"], again["omitted"]["text"]) == (None, "deleted")
    alice_http.live.delete(f"/v1/webhook-endpoints/{endpoint['id']}")

"""The same recording asked the same way is heard once, over HTTP."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from stack import Tenant

from tests.api.calls import ended, order, upload, usage
from tests.api.conftest import FileServer
from tests.api.media import tone

SLOW = "slow:1500"
_seeds = itertools.count(1000)


@pytest.fixture
def recording() -> bytes:
    """A recording that nobody has sent before."""
    return tone(2_000, seed=next(_seeds))


def send(tenant: Tenant, data: bytes, **fields: str) -> Any:
    """A job that may share; not waited for."""
    accepted = order(tenant.live, data, **({"reuse": "auto"} | fields))
    assert accepted.status_code in {200, 202}, accepted.text
    return accepted.json()


def heard(tenant: Tenant, data: bytes, **fields: str) -> Any:
    """The same, at its end."""
    return ended(tenant.live, send(tenant, data, **fields)["id"])


def cached_ms(tenant: Tenant) -> int:
    return sum(line["quantity"] for line in usage(tenant.live)["data"] if line["mode"] == "cache")


def test_the_same_again_is_answered_at_once_for_a_quarter(alice_http: Tenant, recording: bytes) -> None:
    first, before = heard(alice_http, recording), cached_ms(alice_http)
    answer = order(alice_http.live, recording, reuse="auto", metadata='{"order": "2"}', tags="again")
    again = answer.json()
    assert (answer.status_code, again["status"], again["reused_from"]) == (200, "completed", first["id"])
    same = ("text", "words", "segments", "engine", "duration_ms", "language", "warnings")
    assert {name: again[name] for name in same} == {name: first[name] for name in same}
    assert Decimal(again["cost"]["amount"]) * 4 == Decimal(first["cost"]["amount"])
    assert (again["metadata"], again["tags"]) == ({"order": "2"}, ["again"])
    assert cached_ms(alice_http) - before == 2000
    assert first["reused_from"] is None


@pytest.mark.parametrize(
    "fields", [{"language": "ko"}, {"diarize": "true"}, {"audio_end_ms": "1000"}, {"reuse": "never"}]
)
def test_another_wish_is_heard_anew(alice_http: Tenant, recording: bytes, fields: dict[str, str]) -> None:
    heard(alice_http, recording)
    assert heard(alice_http, recording, **fields)["reused_from"] is None


def test_nothing_is_shared_unless_it_was_asked_for(alice_http: Tenant, recording: bytes) -> None:
    plain = ended(alice_http.live, order(alice_http.live, recording).json()["id"])
    again = ended(alice_http.live, order(alice_http.live, recording).json()["id"])
    assert (plain["reused_from"], again["reused_from"]) == (None, None)
    assert heard(alice_http, recording)["reused_from"] is None  # those before did not offer theirs


def test_charlie_gains_nothing_from_what_alice_has_heard(
    alice_http: Tenant, charlie_http: Tenant, recording: bytes
) -> None:
    mine = heard(alice_http, recording)
    theirs = heard(charlie_http, recording)
    assert theirs["reused_from"] is None
    assert theirs["cost"] == mine["cost"]
    test_mode = order(alice_http.test, recording, reuse="auto").json()
    assert ended(alice_http.test, test_mode["id"])["reused_from"] is None


def test_a_deleted_result_is_gone_for_everybody(alice_http: Tenant, recording: bytes) -> None:
    first = heard(alice_http, recording)
    copy = heard(alice_http, recording)
    alice_http.live.delete(f"/v1/transcriptions/{first['id']}")
    assert ended(alice_http.live, copy["id"])["text"] == first["text"]  # the copy is the second job's own
    assert heard(alice_http, recording)["reused_from"] is None


def test_a_url_is_fetched_and_compared_by_its_bytes(
    alice_http: Tenant, recording: bytes, file_server: FileServer
) -> None:
    first = heard(alice_http, recording)
    url = file_server.serve("/same.wav", recording)
    body = {"audio_url": url, "engine": "simulated", "reuse": "auto"}
    again = ended(alice_http.live, alice_http.live.post("/v1/transcriptions", json=body).json()["id"])
    assert again["reused_from"] == first["id"]
    body = {"upload_id": upload(alice_http.live, recording), "engine": "simulated", "reuse": "auto"}
    third = ended(alice_http.live, alice_http.live.post("/v1/transcriptions", json=body).json()["id"])
    assert third["reused_from"] == first["id"]


def test_jobs_in_flight_follow_one_leader(alice_http: Tenant, recording: bytes) -> None:
    sent = [send(alice_http, recording, simulate=SLOW)["id"] for _ in range(4)]
    done = [ended(alice_http.live, each) for each in sent]
    assert [each["status"] for each in done] == ["completed"] * 4
    leaders = [each["id"] for each in done if each["reused_from"] is None]
    assert len(leaders) == 1
    assert {each["reused_from"] for each in done} == {None, leaders[0]}
    assert len({each["text"] for each in done}) == 1
    costs = sorted(Decimal(each["cost"]["amount"]) for each in done)
    assert costs[0] == costs[2] == costs[3] / 4
    assert _completed_events(alice_http, sent) == sorted(sent)


def _completed_events(tenant: Tenant, wanted: list[str]) -> list[str]:
    """The jobs of these that an event told of; each job has its own."""
    until = time.monotonic() + 10
    while True:
        events = tenant.live.get("/v1/events", params={"limit": 100}).json()["data"]
        told = [event["data"]["id"] for event in events if event["type"] == "transcription.completed"]
        found = sorted(each for each in told if each in wanted)
        if len(found) >= len(wanted) or time.monotonic() > until:
            return found
        time.sleep(0.05)


def test_a_crowd_of_the_same_at_once_leaves_nobody_waiting(alice_http: Tenant, recording: bytes) -> None:
    """Leaders end while others register behind them; a lost wake-up would cost a minute."""
    with ThreadPoolExecutor(8) as crowd:
        sent = list(crowd.map(lambda _: send(alice_http, recording, simulate="slow:30")["id"], range(40)))
        started = time.monotonic()
        done = list(crowd.map(lambda each: ended(alice_http.live, each), sent))
    assert {each["status"] for each in done} == {"completed"}
    assert [each["reused_from"] for each in done].count(None) == 1
    assert time.monotonic() - started < 30


def running_pair(tenant: Tenant, data: bytes, database: psycopg.Connection[Any], **fields: str) -> list[str]:
    """A leader that is being heard, and its follower."""
    fields = {"simulate": "slow:60000"} | fields
    leader = send(tenant, data, **fields)["id"]
    _await(database, leader, "SELECT 1 FROM work_item WHERE job_id = %s AND step = 'transcribe' AND state = 'leased'")
    follower = send(tenant, data, **fields)["id"]
    _await(database, follower, "SELECT 1 FROM work_item WHERE job_id = %s AND state = 'waiting'")
    return [leader, follower]


def _await(database: psycopg.Connection[Any], shown: str, sql: str) -> None:
    from apikit import ids

    job_id = ids.parse(ids.TRANSCRIPTION, shown)
    until = time.monotonic() + 30
    while not database.execute(sql, [job_id]).fetchone():
        assert time.monotonic() < until, f"{shown}: {sql}"
        time.sleep(0.02)


def test_a_canceled_leader_is_followed_by_the_next(
    alice_http: Tenant, recording: bytes, database: psycopg.Connection[Any]
) -> None:
    leader, follower = running_pair(alice_http, recording, database)
    third = send(alice_http, recording, simulate="slow:60000")["id"]
    _await(database, third, "SELECT 1 FROM work_item WHERE job_id = %s AND state = 'waiting'")
    canceled = alice_http.live.post(f"/v1/transcriptions/{leader}/cancel").json()
    assert (canceled["status"], canceled["cost"]) == ("canceled", None)
    _await(database, follower, "SELECT 1 FROM work_item WHERE job_id = %s AND step = 'transcribe'")
    _await(database, third, "SELECT 1 FROM work_item WHERE job_id = %s AND state = 'waiting'")
    for each in (follower, third):
        assert alice_http.live.post(f"/v1/transcriptions/{each}/cancel").json()["status"] == "canceled"


def test_a_follower_that_leaves_changes_nothing_for_the_others(
    alice_http: Tenant, recording: bytes, database: psycopg.Connection[Any]
) -> None:
    leader, follower = running_pair(alice_http, recording, database, simulate="slow:2500")
    assert alice_http.live.post(f"/v1/transcriptions/{follower}/cancel").json()["status"] == "canceled"
    assert ended(alice_http.live, leader)["status"] == "completed"


def test_after_a_failed_leader_the_next_one_tries(alice_http: Tenant, recording: bytes) -> None:
    sent = [send(alice_http, recording, simulate="permanent_error")["id"] for _ in range(3)]
    done = [ended(alice_http.live, each) for each in sent]
    assert {(each["status"], each["error"]["code"]) for each in done} == {("failed", "simulated_permanent_error")}
    assert [each["cost"] for each in done] == [None] * 3


def test_a_large_result_is_copied_and_outlives_its_first_job(alice_http: Tenant) -> None:
    long = tone(1_200_000, seed=next(_seeds))  # its transcript is an object of its own
    first = heard(alice_http, long)
    again = heard(alice_http, long)
    assert again["reused_from"] == first["id"]
    alice_http.live.delete(f"/v1/transcriptions/{first['id']}")
    assert ended(alice_http.live, again["id"])["text"] == first["text"]

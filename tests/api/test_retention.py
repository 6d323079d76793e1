"""Content that goes by itself, over HTTP: in its time, once it was fetched or delivered, and without a trace."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis
from psycopg import sql
from stack import Stack, Tenant
from told import check_told

from tests.api.calls import check_problem, ended, order, transcribe, usage
from tests.api.conftest import FileServer
from tests.api.media import tone
from workers.embedded.home import Home

LOOKS = 3_000  # each is a request, so this is about ten seconds
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def keeper(stack: Stack) -> Tenant:
    return stack.tenant("keeper")


@pytest.fixture(scope="module")
def forgetful(stack: Stack) -> Tenant:
    """A tenant that keeps nothing."""
    made = stack.tenant("forgetful")
    stack.parlance("tenant", "set", made.id, "--delete-after", "0")
    return made


def events(client: httpx.Client, subject: str) -> list[Any]:
    """All that was told of a job, newest first."""
    told = client.get("/v1/events", params={"limit": 100}).json()["data"]
    return [event for event in told if event["data"]["id"] == subject]


def receipt(client: httpx.Client, subject: str) -> Any:
    """The event that confirms an erasure, once it is there."""
    for _ in range(LOOKS):
        newest = events(client, subject)[:1]
        if newest and newest[0]["type"].endswith(".deleted"):
            check_told(newest[0])
            return newest[0]["data"]
    raise AssertionError("nothing was erased")


def test_content_goes_in_its_time_and_the_bill_stays(keeper: Tenant) -> None:
    before = usage(keeper.live)
    made = transcribe(keeper.live, tone(seed=1), delete_after_s="1")
    told = receipt(keeper.live, made["id"])
    assert (told["deleted"], told["reason"], made["delete_after_s"]) == (True, "retention", 1)
    assert datetime.fromisoformat(told["deleted_at"]) >= datetime.fromisoformat(made["delete_at"])
    check_problem(keeper.live.get(f"/v1/transcriptions/{made['id']}"), 404, "not_found")
    assert usage(keeper.live) != before


def test_what_ended_badly_goes_too(keeper: Tenant) -> None:
    made = transcribe(keeper.live, tone(seed=2), simulate="permanent_error", delete_after_s="1")
    assert made["status"] == "failed"
    assert receipt(keeper.live, made["id"])["reason"] == "retention"


def test_a_deletion_has_one_receipt(keeper: Tenant) -> None:
    made = transcribe(keeper.live, tone(seed=3), delete_after_s="86400")
    keeper.live.delete(f"/v1/transcriptions/{made['id']}")
    told = receipt(keeper.live, made["id"])
    assert told["reason"] == "request"
    assert [event["type"] for event in events(keeper.live, made["id"])].count("transcription.deleted") == 1


def test_content_that_nobody_fetches_stays_an_hour_at_most(keeper: Tenant) -> None:
    made = order(keeper.live, tone(seed=4), delete_after_s="0").json()
    hidden = keeper.live.get("/v1/transcriptions").json()["data"][0]
    while hidden["status"] != "completed":
        hidden = keeper.live.get("/v1/transcriptions").json()["data"][0]
    assert (hidden["id"], hidden["delete_after_s"]) == (made["id"], 0)
    moments = [datetime.fromisoformat(hidden[name]) for name in ("finished_at", "delete_at")]
    assert moments[1] - moments[0] == HOUR


def _get(client: httpx.Client) -> str:
    made = order(client, tone(seed=5), simulate="says:once").json()
    shown = ended(client, made["id"])
    assert shown["text"] == "once"
    return str(made["id"])


def _waited_for(client: httpx.Client) -> str:
    answer = order(client, tone(seed=6), simulate="says:once", headers={"Prefer": "wait=30"}).json()
    assert answer["text"] == "once"
    return str(answer["id"])


def _captions(client: httpx.Client) -> str:
    made = order(client, tone(seed=7), simulate="says:once").json()
    path = f"/v1/transcriptions/{made['id']}/transcript"
    while (answer := client.get(path, params={"format": "srt"})).status_code == 409:
        pass
    assert "once" in answer.text
    return str(made["id"])


def _stream(client: httpx.Client) -> str:
    made = order(client, tone(seed=8), simulate="says:once").json()
    told = client.get(f"/v1/transcriptions/{made['id']}/stream").text
    assert "event: completed" in told
    return str(made["id"])


def _openai(client: httpx.Client) -> str:
    files = {"file": ("a.wav", tone(seed=9), "audio/wav")}
    form = {"model": "simulated", "simulate": "says:once"}
    answer = client.post("/v1/audio/transcriptions", data=form, files=files)
    assert answer.json()["text"] == "once"
    return answer.headers["x-parlance-transcription-id"]


def _openai_stream(client: httpx.Client) -> str:
    files = {"file": ("a.wav", tone(seed=10), "audio/wav")}
    form = {"model": "simulated", "simulate": "says:once", "stream": "true"}
    answer = client.post("/v1/audio/transcriptions", data=form, files=files)
    assert "[DONE]" in answer.text
    return answer.headers["x-parlance-transcription-id"]


def _speech(client: httpx.Client, **more: Any) -> str:
    body = {"text": "Once and never again.", "engine": "simulated"} | more
    answer = client.post("/v1/speech", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.content
    return answer.headers["x-parlance-speech-id"]


def _speech_at_once(client: httpx.Client) -> str:
    return _speech(client, format="pcm")


def _speech_job(client: httpx.Client) -> str:
    body = {"text": "Once and never again.", "engine": "simulated"}
    made = client.post("/v1/speech", json=body, headers={"Prefer": "respond-async"}).json()
    while (answer := client.get(f"/v1/speech/{made['id']}/audio")).status_code == 409:
        pass
    assert answer.content
    return str(made["id"])


def _openai_speech(client: httpx.Client) -> str:
    body = {"model": "simulated", "voice": "alloy", "input": "Once and never again."}
    answer = client.post("/v1/audio/speech", json=body)
    assert answer.content
    return answer.headers["x-parlance-speech-id"]


WAYS = [_get, _waited_for, _captions, _stream, _openai, _openai_stream, _speech, _speech_at_once, _speech_job,
        _openai_speech]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_without_retention_content_can_be_fetched_once(forgetful: Tenant, way: Callable[[httpx.Client], str]) -> None:
    subject = way(forgetful.live)
    told = receipt(forgetful.live, subject)
    assert told["reason"] == "retention"
    kind = "speech" if told["object"] == "speech" else "transcriptions"
    check_problem(forgetful.live.get(f"/v1/{kind}/{subject}"), 404, "not_found")


def test_an_order_cannot_lengthen_what_its_tenant_allows(forgetful: Tenant) -> None:
    made = order(forgetful.live, tone(seed=11), delete_after_s="86400").json()
    assert made["delete_after_s"] == 0


def test_content_that_was_delivered_goes(keeper: Tenant, file_server: FileServer) -> None:
    url = f"{file_server.url}/retention-hook"
    wanted = {"url": url, "event_types": ["transcription.completed"], "include": ["text"]}
    endpoint = keeper.live.post("/v1/webhook-endpoints", json=wanted).json()
    made = order(keeper.live, tone(seed=12), simulate="says:delivered", delete_after_s="0").json()
    assert receipt(keeper.live, made["id"])["reason"] == "retention"
    [body] = [json.loads(body) for path, _, body in file_server.posted if path == "/retention-hook"]
    assert body["data"]["text"] == "delivered"
    keeper.live.delete(f"/v1/webhook-endpoints/{endpoint['id']}")


@pytest.mark.parametrize("wrong", ["-1", "soon", "1e99", "400000000"])
def test_a_wrong_time_is_refused(keeper: Tenant, wrong: str) -> None:
    check_problem(order(keeper.live, tone(seed=13), delete_after_s=wrong), 422, "invalid_request")


CANARY = "canary7f3b"


def test_a_deleted_jobs_words_are_found_nowhere(stack: Stack, keeper: Tenant, file_server: FileServer) -> None:
    """Planted in everything that a customer can write for one job; tags are labels of the bill, and erased as such."""
    hear = {"simulate": f"says:{CANARY}-text", "metadata": json.dumps({CANARY: CANARY}), "prompt": f"{CANARY}-prompt",
            "vocabulary": f"{CANARY}-term"}  # fmt: skip
    url = f"{file_server.url}/canary-hook"
    endpoint = keeper.live.post(
        "/v1/webhook-endpoints", json={"url": url, "event_types": ["*"], "include": ["text"]}
    ).json()
    heard = transcribe(keeper.live, tone(seed=14), **hear)
    say = {"text": f"Say {CANARY}.", "engine": "simulated", "metadata": {"note": CANARY}}
    spoken = keeper.live.post("/v1/speech", json=say).headers["x-parlance-speech-id"]
    keeper.live.get(f"/v1/transcriptions/{heard['id']}/stream")
    keeper.live.get(f"/v1/speech/{spoken}/audio")
    assert "database" in found(stack)  # else it could not fail
    for path, subject in (("transcriptions", heard["id"]), ("speech", spoken)):
        keeper.live.delete(f"/v1/{path}/{subject}")
        receipt(keeper.live, subject)
    assert found(stack) == {}
    keeper.live.delete(f"/v1/webhook-endpoints/{endpoint['id']}")


def found(stack: Stack) -> dict[str, list[str]]:
    """Where the planted word is, in whatever the stack keeps."""
    places = {"database": _in_database(stack), "redis": _in_redis(stack), "files": _in_files(stack)}
    return {name: hits for name, told in places.items() if (hits := list(told))}


def _in_database(stack: Stack) -> Iterator[str]:
    environ = Home(stack.home).state()["env"]
    for role in ("OWNER", "SYSTEM"):
        with psycopg.connect(environ[f"DATABASE_{role}_URL"], autocommit=True) as connection:
            for schema, table in connection.execute(_TABLES).fetchall():
                query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table))
                if any(CANARY in _text(value) for row in connection.execute(query) for value in row):
                    yield f"{schema}.{table}"


_TABLES = """SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'
 AND has_table_privilege(format('%I.%I', table_schema, table_name), 'SELECT')"""


def _text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes) else str(value)


def _in_redis(stack: Stack) -> Iterator[str]:
    client = redis.Redis.from_url(Home(stack.home).state()["env"]["REDIS_URL"])
    for key in client.scan_iter():
        if CANARY.encode() in key + (client.dump(key) or b""):
            yield key.decode("latin-1")
    client.close()


def _in_files(stack: Stack) -> Iterator[str]:
    """Objects and logs; the database's own files hold what was removed until they are vacuumed."""
    home = Home(stack.home)
    for folder in (home.logs, *(path for path in Path(stack.home).iterdir() if path.name in {"objects", "store"})):
        for path in folder.rglob("*"):
            if path.is_file() and CANARY.encode() in path.read_bytes():
                yield str(path.relative_to(stack.home))

"""A file that is waited for: answered at once, and to the last row the same job as one that waited in the queue."""

from __future__ import annotations

import io
import json
import threading
import time
import wave
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from stack import Stack, Tenant

from apikit import ids
from tests.api.calls import check_problem, ended, order, tenant_uuid, usage
from tests.api.media import tone, wav

WAIT = {"Prefer": "wait=20"}
OF_ITS_OWN = {"id", "created", "started_at", "finished_at", "url"}


def _now(tenant: Tenant, data: bytes, **fields: str) -> Any:
    """The answer to a request that waits."""
    answer = order(tenant.live, data, headers=WAIT, **_heard_anew(fields))
    assert answer.status_code in {200, 202}, answer.text
    return answer.json()


def _queued(tenant: Tenant, data: bytes, **fields: str) -> Any:
    """The same through the queue."""
    return ended(tenant.live, order(tenant.live, data, **_heard_anew(fields)).json()["id"])


def _heard_anew(fields: dict[str, str]) -> dict[str, Any]:
    return {"reuse": "never"} | fields


def _without_own(shown: Any) -> Any:
    return {name: value for name, value in shown.items() if name not in OF_ITS_OWN}


def _job_id(shown: Any) -> UUID:
    found = ids.parse(ids.TRANSCRIPTION, shown["id"])
    assert found is not None
    return found


def _row(database: psycopg.Connection[Any], sql: str, shown: Any) -> tuple[Any, ...]:
    row = database.execute(sql, [_job_id(shown)]).fetchone()
    assert row is not None
    return tuple(row)


def _took_the_short_cut(database: psycopg.Connection[Any], shown: Any) -> bool:
    """Accepted and begun in one transaction, which no other way does."""
    return bool(_row(database, "SELECT started_at = created_at FROM job WHERE id = %s", shown)[0])


def test_the_answer_is_that_of_a_job_that_was_queued(alice_http: Tenant, database: psycopg.Connection[Any]) -> None:
    now, queued = (send(alice_http, tone(4_000), tags="a", language="ko") for send in (_now, _queued))
    assert now["status"] == "completed"
    assert _took_the_short_cut(database, now)
    assert not _took_the_short_cut(database, queued)
    assert _without_own(now) == _without_own(queued)
    again = alice_http.live.get(f"/v1/transcriptions/{now['id']}").json()
    assert again == now


@pytest.mark.parametrize(
    "sql",
    [
        """SELECT livemode, engine, model, mode, meter, kind, sequence, raw_quantity, billable_quantity, unit_price,
          unit_size, amount, currency, book_version, period, origin_period, api_key_id FROM usage_entry
          WHERE subject_id = %s""",
        """SELECT kind, state, service_class, livemode, api_key_id, measured_ms, engine, price_version, segments_total,
          segments_left, done_ms, readable_ms, event_sequence, error_code, deadline_at - created_at FROM job
          WHERE id = %s""",
        "SELECT type, livemode, sequence FROM outbox_event WHERE subject_id = %s",
        "SELECT count(*) FROM hold WHERE job_id = %s",
        "SELECT count(*) FROM work_item WHERE job_id = %s",
    ],
    ids=["ledger", "register", "event", "hold", "items"],
)
def test_its_rows_are_those_of_a_job_that_was_queued(
    alice_http: Tenant, database: psycopg.Connection[Any], sql: str
) -> None:
    now, queued = (send(alice_http, tone(4_000)) for send in (_now, _queued))
    assert _took_the_short_cut(database, now)
    assert _row(database, sql, now) == _row(database, sql, queued)


def test_its_event_tells_the_resource_without_its_text(alice_http: Tenant, database: psycopg.Connection[Any]) -> None:
    now = _now(alice_http, tone(2_000), language="en")
    body = json.loads(bytes(_row(database, "SELECT body FROM outbox_event WHERE subject_id = %s", now)[0]))
    assert body["type"] == "transcription.completed"
    assert body["data"] == {name: value for name, value in now.items() if name not in {"text", "words", "segments"}}


def _coarse(duration_ms: int) -> bytes:
    """A WAV that holds a minute in a quarter of a megabyte."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(4_000)
        file.writeframes(bytes(range(0, 256, 8)) * (duration_ms * 4 // 32))
    return target.getvalue()


EXTRAORDINARY = {
    "channels apart": (wav(tone(2_000)[44:] * 2, channels=2), {"multichannel": "true"}),
    "a later start": (tone(3_000), {"audio_start_ms": "1000"}),
    "an earlier end": (tone(3_000), {"audio_end_ms": "1000"}),
    "silence": (wav(bytes(64_000)), {}),
    "more than a minute": (_coarse(61_000), {}),
    "more than is kept in memory": (tone(9_000), {}),
    "what was heard before": (tone(2_000, seed=5), {"reuse": "auto"}),
}


@pytest.mark.parametrize(("data", "fields"), EXTRAORDINARY.values(), ids=EXTRAORDINARY.keys())
def test_what_is_out_of_the_ordinary_goes_the_ordinary_way(
    alice_http: Tenant, database: psycopg.Connection[Any], data: bytes, fields: dict[str, str]
) -> None:
    now = ended(alice_http.live, _now(alice_http, data, **fields)["id"])
    assert now["status"] == "completed"
    assert not _took_the_short_cut(database, now)


def test_a_file_that_cannot_be_decoded_fails_as_in_the_queue(alice_http: Tenant) -> None:
    lying = b"fLaC" + bytes(range(256)) * 40
    now, queued = (send(alice_http, lying) for send in (_now, _queued))
    assert now["status"] == "failed"
    assert _without_own(now) == _without_own(queued)


@pytest.mark.parametrize("simulate", ["permanent_error", "bad_audio"])
def test_an_engine_that_fails_fails_the_job_and_bills_nothing(
    quiet_http: Tenant, database: psycopg.Connection[Any], simulate: str
) -> None:
    before = usage(quiet_http.live)
    now = _now(quiet_http, tone(1_000), simulate=simulate)
    assert (now["status"], now["error"]["code"], now["cost"]) == ("failed", f"simulated_{simulate}", None)
    assert _row(database, "SELECT count(*) FROM hold WHERE job_id = %s", now) == (0,)
    assert usage(quiet_http.live) == before


def test_an_engine_that_fails_for_a_moment_is_tried_again_by_a_worker(
    quiet_http: Tenant, database: psycopg.Connection[Any]
) -> None:
    now = _now(quiet_http, tone(1_000), simulate="transient_error")
    assert now["status"] in {"running", "failed"}  # four attempts may be over within the time that was waited
    failed = ended(quiet_http.live, now["id"])
    assert failed["error"]["code"] == "simulated_transient_error"
    letter = "SELECT attempts FROM dead_letter WHERE job_id = %s"
    assert _row(database, letter, now) == (4,)


def test_a_repeat_with_the_same_key_brings_the_same_job(quiet_http: Tenant) -> None:
    key = {"Idempotency-Key": "once, and at once"}
    first = order(quiet_http.live, tone(1_000), headers=WAIT | key, reuse="never")
    before = usage(quiet_http.live)
    again = order(quiet_http.live, tone(1_000), headers=WAIT | key, reuse="never")
    assert (first.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.json() == first.json()
    assert usage(quiet_http.live) == before
    check_problem(order(quiet_http.live, tone(2_000), headers=WAIT | key), 422, "idempotency_key_reused")


def test_a_test_key_is_answered_for_nothing(quiet_http: Tenant, database: psycopg.Connection[Any]) -> None:
    before = usage(quiet_http.test)
    now = order(quiet_http.test, tone(1_000), headers=WAIT, reuse="never").json()
    assert (now["status"], now["livemode"], now["cost"]) == ("completed", False, None)
    assert _took_the_short_cut(database, now)
    assert usage(quiet_http.test) == before


@pytest.fixture
def poor(stack: Stack, database: psycopg.Connection[Any]) -> Tenant:
    """A tenant whose wallet covers a second."""
    tenant = stack.tenant("poor")
    sql = "INSERT INTO wallet (tenant_id, currency, balance, held, credit_limit) VALUES (%s, 'USD', 0.0001, 0, 0)"
    database.execute(sql, [tenant_uuid(tenant)])
    return tenant


def test_what_the_balance_does_not_cover_is_refused_with_nothing_half_made(
    stack: Stack, poor: Tenant, database: psycopg.Connection[Any]
) -> None:
    before = _incoming(stack)
    refused = order(poor.live, tone(5_000), headers=WAIT, reuse="never")
    check_problem(refused, 402, "insufficient_funds")
    for table in ("job", "hold", "work_item", "usage_entry", "due_date"):
        sql = f"SELECT count(*) FROM {table} WHERE tenant_id = %s"
        assert database.execute(sql, [tenant_uuid(poor)]).fetchone() == (0,), table
    _await(lambda: not _incoming(stack) - before)
    covered = order(poor.live, tone(1_000), headers=WAIT, reuse="never")
    assert covered.json()["status"] == "completed"
    check_problem(order(poor.live, tone(1_000), headers=WAIT, reuse="never"), 402, "insufficient_funds")


def test_a_cancel_while_the_engine_works_ends_the_job_unbilled(quiet_http: Tenant) -> None:
    before, answers = usage(quiet_http.live), list[Any]()
    waiting = threading.Thread(target=lambda: answers.append(_now(quiet_http, tone(1_000), simulate="slow:2500")))
    waiting.start()
    path = "/v1/transcriptions"
    _await(lambda: bool(quiet_http.live.get(path, params={"status": "running"}).json()["data"]))
    [running] = quiet_http.live.get(path, params={"status": "running"}).json()["data"]
    assert quiet_http.live.post(f"{path}/{running['id']}/cancel").json()["status"] == "canceled"
    waiting.join()
    assert (answers[0]["id"], answers[0]["status"], answers[0]["cost"]) == (running["id"], "canceled", None)
    assert usage(quiet_http.live) == before


def test_its_audio_comes_to_its_own_place_and_goes_with_the_job(stack: Stack, alice_http: Tenant) -> None:
    now = _now(alice_http, tone(1_000, seed=11))
    objects = stack.home / "objects" / "objects" / "t" / tenant_uuid(alice_http).hex / "jobs" / _job_id(now).hex
    _await(lambda: (objects / "source%data").exists())
    assert (objects / "source%data").read_bytes() == tone(1_000, seed=11)
    assert alice_http.live.delete(f"/v1/transcriptions/{now['id']}").status_code == 200
    assert not objects.exists()


def test_a_delete_leaves_none_of_its_audio_wherever_it_was(stack: Stack, alice_http: Tenant) -> None:
    clip = tone(1_000, seed=12)
    for _ in range(5):  # before and after the file was brought to the job
        now = _now(alice_http, clip)
        assert alice_http.live.delete(f"/v1/transcriptions/{now['id']}").status_code == 200
    _await(lambda: not _files_with(stack, clip))


def _incoming(stack: Stack) -> set[Path]:
    return {path for path in (stack.home / "objects").rglob("incoming/**/*") if path.is_file()}


def _files_with(stack: Stack, content: bytes) -> list[Path]:
    found = []
    for path in (stack.home / "objects").rglob("*%data"):
        try:
            if path.stat().st_size == len(content) and path.read_bytes() == content:
                found.append(path)
        except FileNotFoundError:
            continue
    return found


def _await(check: Any, *, limit_s: float = 20.0) -> None:
    """Other processes do it in their own time."""
    ends_at = time.monotonic() + limit_s
    while not check():
        assert time.monotonic() < ends_at
        time.sleep(0.02)

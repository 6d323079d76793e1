"""Transcriptions over HTTP, from the three sources to deletion, on the simulated engine."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from stack import Tenant

from tests.api.calls import check_problem, ended, order, transcribe, upload, usage, without_id
from tests.api.conftest import FileServer
from tests.api.media import tone

UNKNOWN = "trn_01aaaaaaaaaaaaaaaaaaaaaaaa"


def _is_whole(done: Any) -> bool:
    times = [(part["start_ms"], part["end_ms"]) for part in done["words"] + done["segments"]]
    inside = all(0 <= start_ms < end_ms <= done["duration_ms"] for start_ms, end_ms in times)
    return bool(done["text"]) and done["text"].split() == [word["text"] for word in done["words"]] and inside


def test_it_transcribes_an_upload(alice_http: Tenant, clip: bytes) -> None:
    body = {"upload_id": upload(alice_http.live, clip), "engine": "simulated"}
    accepted = alice_http.live.post("/v1/transcriptions", json=body)
    assert accepted.status_code == 202
    assert accepted.headers["Location"] == f"/v1/transcriptions/{accepted.json()['id']}"
    done = ended(alice_http.live, accepted.json()["id"])
    assert (done["status"], done["duration_ms"], done["quality"]) == ("completed", 1000, "simulated")
    assert [warning["code"] for warning in done["warnings"]] == ["simulated_engine"]
    assert _is_whole(done)


def test_it_transcribes_a_multipart_file(alice_http: Tenant, clip: bytes) -> None:
    done = transcribe(alice_http.live, clip)
    assert (done["status"], done["filename"]) == ("completed", "clip.wav")
    assert _is_whole(done)


def test_it_transcribes_from_a_url(alice_http: Tenant, clip: bytes, file_server: FileServer) -> None:
    url = file_server.serve("/clip.wav", clip)
    accepted = alice_http.live.post("/v1/transcriptions", json={"audio_url": url, "engine": "simulated"})
    done = ended(alice_http.live, accepted.json()["id"])
    assert done["status"] == "completed"
    assert _is_whole(done)
    assert file_server.asked.count("/clip.wav") == 1


def test_a_missing_file_behind_a_url_is_a_failure_with_a_reason(alice_http: Tenant, file_server: FileServer) -> None:
    body = {"audio_url": f"{file_server.url}/nothing.wav", "engine": "simulated"}
    failed = ended(alice_http.live, alice_http.live.post("/v1/transcriptions", json=body).json()["id"])
    assert (failed["status"], failed["error"]["code"]) == ("failed", "http_status")
    assert "404" in failed["error"]["detail"]
    assert failed["cost"] is None


def test_a_test_key_gets_the_simulated_engine_for_nothing(quiet_http: Tenant, clip: bytes) -> None:
    before = usage(quiet_http.live), usage(quiet_http.test)
    done = transcribe(quiet_http.test, clip, engine="pocketsphinx")
    assert (done["engine"], done["livemode"], done["status"]) == ("simulated", False, "completed")
    assert done["cost"] in (None, {"amount": "0", "currency": "USD"})
    assert (usage(quiet_http.live), usage(quiet_http.test)) == before


@pytest.mark.parametrize("route", ["", "/transcript", "/cancel"])
def test_a_key_sees_nothing_of_the_other_mode(alice_http: Tenant, clip: bytes, route: str) -> None:
    made = transcribe(alice_http.live, clip)
    method = "POST" if route == "/cancel" else "GET"
    theirs = alice_http.test.request(method, f"/v1/transcriptions/{made['id']}{route}")
    assert without_id(theirs) == without_id(alice_http.test.request(method, f"/v1/transcriptions/{UNKNOWN}{route}"))
    check_problem(theirs, 404, "not_found")


def test_a_wait_answers_a_post_with_the_result(alice_http: Tenant, clip: bytes) -> None:
    answer = order(alice_http.live, clip, headers={"Prefer": "respond-async, wait=30"})
    assert answer.json()["status"] == "completed"
    assert answer.headers["Preference-Applied"] == "wait=30"
    assert answer.headers["Location"] == f"/v1/transcriptions/{answer.json()['id']}"
    assert _is_whole(answer.json())


def test_a_wait_ends_with_the_time_it_was_given(alice_http: Tenant, clip: bytes) -> None:
    made = order(alice_http.live, clip, simulate="slow:3000").json()
    shown = alice_http.live.get(f"/v1/transcriptions/{made['id']}", headers={"Prefer": "wait=1"})
    assert shown.headers["Preference-Applied"] == "wait=1"
    assert shown.json()["status"] in {"queued", "running"}
    assert shown.elapsed.total_seconds() < 2.5
    assert ended(alice_http.live, made["id"])["status"] == "completed"


def test_the_list_pages_and_filters(stack: Any, clip: bytes) -> None:
    tenant = stack.tenant("lister")
    made = [transcribe(tenant.live, clip)["id"] for _ in range(3)]
    failed = transcribe(tenant.live, clip, simulate="permanent_error")["id"]
    first = tenant.live.get("/v1/transcriptions", params={"limit": 3}).json()
    assert [row["id"] for row in first["data"]] == [failed, made[2], made[1]]
    assert first["has_more"] is True
    rest = tenant.live.get("/v1/transcriptions", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert ([row["id"] for row in rest["data"]], rest["has_more"], rest["next_cursor"]) == ([made[0]], False, None)
    only = tenant.live.get("/v1/transcriptions", params={"status": "failed"}).json()["data"]
    assert [row["id"] for row in only] == [failed]
    assert "text" not in first["data"][1]  # lists carry no content


def test_a_cursor_that_we_did_not_make_is_refused(alice_http: Tenant) -> None:
    refused = alice_http.live.get("/v1/transcriptions", params={"cursor": "x' OR 1=1"})
    assert check_problem(refused, 422, "invalid_request")["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize(
    ("form", "kind", "begins"),
    [
        ("json", "application/json", "{"),
        ("text", "text/plain", ""),
        ("srt", "application/x-subrip", "1\n00:00:00,000 --> "),
        ("vtt", "text/vtt", "WEBVTT\n"),
    ],
)
def test_the_transcript_comes_in_every_form(alice_http: Tenant, form: str, kind: str, begins: str) -> None:
    done = transcribe(alice_http.live, tone(5_000), language="ko")
    answer = alice_http.live.get(f"/v1/transcriptions/{done['id']}/transcript", params={"format": form})
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    assert answer.text.startswith(begins)
    shown = json.loads(answer.text)["text"] if form == "json" else answer.text
    assert done["words"][0]["text"] in shown
    assert unicodedata.is_normalized("NFC", answer.text)


def test_there_is_no_transcript_before_the_end(alice_http: Tenant, clip: bytes) -> None:
    made = order(alice_http.live, clip, simulate="slow:60000").json()
    path = f"/v1/transcriptions/{made['id']}"
    check_problem(alice_http.live.get(f"{path}/transcript"), 409, "not_ready")
    assert alice_http.live.post(f"{path}/cancel").status_code == 200
    check_problem(alice_http.live.get(f"{path}/transcript"), 409, "no_transcript")


def test_cancel_stops_a_running_job_and_bills_nothing(quiet_http: Tenant, clip: bytes) -> None:
    before = usage(quiet_http.live)
    made = order(quiet_http.live, clip, simulate="slow:60000").json()
    path = f"/v1/transcriptions/{made['id']}"
    while quiet_http.live.get(path, headers={"Prefer": "wait=1"}).json()["engine"] is None:
        pass
    assert quiet_http.live.get(path).json()["status"] == "running"
    canceled = quiet_http.live.post(f"{path}/cancel").json()
    assert (canceled["status"], canceled["cost"]) == ("canceled", None)
    check_problem(quiet_http.live.post(f"{path}/cancel"), 409, "not_cancelable")
    assert usage(quiet_http.live) == before


def test_a_delete_takes_the_content_and_leaves_the_bill(quiet_http: Tenant, clip: bytes) -> None:
    done = transcribe(quiet_http.live, clip)
    path, before = f"/v1/transcriptions/{done['id']}", usage(quiet_http.live)
    deleted = {"id": done["id"], "object": "transcription", "url": done["url"], "deleted": True}
    assert quiet_http.live.delete(path).json() == deleted
    for method, below in (("GET", ""), ("GET", "/transcript"), ("POST", "/cancel"), ("DELETE", "")):
        check_problem(quiet_http.live.request(method, path + below), 404, "not_found")
    assert done["id"] not in quiet_http.live.get("/v1/transcriptions", params={"limit": 100}).text
    assert usage(quiet_http.live) == before


def test_a_delete_stops_a_running_job(quiet_http: Tenant, clip: bytes) -> None:
    before = usage(quiet_http.live)
    made = order(quiet_http.live, clip, simulate="slow:60000").json()
    assert quiet_http.live.delete(f"/v1/transcriptions/{made['id']}").json()["deleted"] is True
    check_problem(quiet_http.live.get(f"/v1/transcriptions/{made['id']}"), 404, "not_found")
    assert usage(quiet_http.live) == before


def test_korean_metadata_and_tags_come_back_in_nfc(alice_http: Tenant, clip: bytes) -> None:
    decomposed = unicodedata.normalize("NFD", "회의 녹음")
    body = {
        "upload_id": upload(alice_http.live, clip),
        "engine": "simulated",
        "language": "ko-KR",
        "metadata": {decomposed: decomposed, "주문": "42"},
        "tags": ["팀-가", unicodedata.normalize("NFD", "고객")],
    }
    accepted = alice_http.live.post("/v1/transcriptions", json=body)
    assert accepted.status_code == 202, accepted.text
    done = ended(alice_http.live, accepted.json()["id"])
    assert done["metadata"] == {"회의 녹음": "회의 녹음", "주문": "42"}
    assert done["tags"] == ["팀-가", "고객"]
    assert done["language"].startswith("ko")


def test_an_engine_without_the_language_names_those_that_have_it(alice_http: Tenant, clip: bytes) -> None:
    refused = check_problem(order(alice_http.live, clip, engine="pocketsphinx", language="ko"), 422, "no_engine")
    assert "simulated" in refused["detail"]


def test_an_unknown_engine_is_refused_with_the_list(alice_http: Tenant, clip: bytes) -> None:
    refused = check_problem(order(alice_http.live, clip, engine="whisper-99"), 422, "unknown_engine")
    assert "pocketsphinx" in refused["detail"]


@pytest.mark.parametrize(
    ("simulate", "code"),
    [("permanent_error", "simulated_permanent_error"), ("bad_audio", "simulated_bad_audio")],
)
def test_a_failed_job_says_why_and_bills_nothing(quiet_http: Tenant, clip: bytes, simulate: str, code: str) -> None:
    before = usage(quiet_http.live)
    failed = transcribe(quiet_http.live, clip, simulate=simulate)
    assert (failed["status"], failed["error"]["code"], failed["cost"]) == ("failed", code, None)
    assert failed["error"]["detail"]
    assert usage(quiet_http.live) == before

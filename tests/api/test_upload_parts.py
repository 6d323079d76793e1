"""Large files come in parts: each may be sent again, and what has arrived is told."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import httpx
import psycopg
import pytest
from stack import Stack, Tenant
from told import check_told

from tests.api.calls import check_problem, create_upload, ended, put, tenant_uuid
from tests.api.media import tone
from workers.embedded.home import Home

PART_BYTES = 5 * 1_048_576
RECORDING = tone(duration_ms=180_000)[:5_500_000]
SHA256 = hashlib.sha256(RECORDING).hexdigest()


def _in_parts(client: httpx.Client, **more: Any) -> Any:
    return create_upload(client, size_bytes=len(RECORDING), part_size_bytes=PART_BYTES, **more)


def _send(ticket: Any, *numbers: int) -> None:
    for part in ticket["parts"]:
        if part["number"] in numbers:
            data = RECORDING[part["start"] :][: part["size_bytes"]]
            answer = put(part, data)
            assert answer.status_code == 200, answer.text


def _statuses(client: httpx.Client, ticket: Any) -> tuple[str, list[str]]:
    shown = client.get(f"/v1/uploads/{ticket['id']}").json()
    assert all("upload" not in part for part in shown["parts"])
    return shown["status"], [part["status"] for part in shown["parts"]]


def _ticket(ticket: Any, step: str, client: httpx.Client) -> httpx.Response:
    return client.post(f"/v1/uploads/{ticket['id']}/{step}")


def test_above_a_hundred_megabytes_parts_are_the_rule(alice_http: Tenant) -> None:
    large = create_upload(alice_http.live, size_bytes=100_000_001)
    assert "upload" not in large
    assert sum(part["size_bytes"] for part in large["parts"]) == 100_000_001
    assert [part["start"] for part in large["parts"]][:2] == [0, 16_777_216]
    assert "parts" not in create_upload(alice_http.live, size_bytes=100_000_000)


def test_it_is_sent_told_resumed_joined_and_transcribed(alice_http: Tenant) -> None:
    client = alice_http.live
    ticket = _in_parts(client, sha256=SHA256)
    assert _statuses(client, ticket) == ("pending", ["pending", "pending"])
    _send(ticket, 2)
    assert _statuses(client, ticket) == ("pending", ["pending", "completed"])
    check_problem(_ticket(ticket, "complete", client), 409, "upload_incomplete")
    resumed = _ticket(ticket, "resume", client).json()
    assert ["upload" in part for part in resumed["parts"]] == [True, False]
    _send(resumed, 1)
    assert _ticket(ticket, "complete", client).json()["status"] == "completed"
    assert _ticket(ticket, "complete", client).status_code == 200
    check_problem(put(ticket["parts"][0], RECORDING[:PART_BYTES]), 409, "upload_closed")
    check_problem(_ticket(ticket, "resume", client), 409, "upload_already_complete")
    made = client.post("/v1/transcriptions", json={"upload_id": ticket["id"], "engine": "simulated"}).json()
    assert ended(client, made["id"])["status"] == "completed"
    assert _statuses(client, ticket) == ("used", ["completed", "completed"])
    for step in ("resume", "complete"):
        check_problem(_ticket(ticket, step, client), 409, "upload_used")


def test_the_first_transcription_completes_an_upload_too(alice_http: Tenant) -> None:
    client = alice_http.live
    ticket = _in_parts(client)
    _send(ticket, 1)
    order = {"upload_id": ticket["id"], "engine": "simulated"}
    check_problem(client.post("/v1/transcriptions", json=order), 409, "upload_incomplete")
    _send(ticket, 2)
    assert client.post("/v1/transcriptions", json=order).status_code == 202


def test_another_file_than_announced_is_removed_and_may_be_sent_again(alice_http: Tenant) -> None:
    client = alice_http.live
    ticket = _in_parts(client, sha256=SHA256)
    _send(ticket, 1, 2)
    wrong = RECORDING[1 : PART_BYTES + 1]
    assert put(ticket["parts"][0], wrong).status_code == 200
    check_problem(_ticket(ticket, "complete", client), 422, "checksum_mismatch")
    assert _statuses(client, ticket) == ("pending", ["pending", "pending"])
    _send(_ticket(ticket, "resume", client).json(), 1, 2)
    assert _ticket(ticket, "complete", client).json()["status"] == "completed"


def test_a_whole_file_is_completed_and_resumed_alike(alice_http: Tenant, clip: bytes) -> None:
    client = alice_http.live
    ticket = create_upload(client, size_bytes=len(clip), sha256=hashlib.sha256(clip).hexdigest())
    check_problem(_ticket(ticket, "complete", client), 409, "upload_incomplete")
    assert put(_ticket(ticket, "resume", client).json(), clip).status_code == 200
    assert _ticket(ticket, "complete", client).json()["status"] == "completed"
    _await_event(client, "upload.completed", ticket["id"])


def _await_event(client: httpx.Client, kind: str, upload_id: str) -> None:
    """Events get their place a moment after the commit."""
    ends_at = time.monotonic() + 20
    while True:
        events = client.get("/v1/events", params={"limit": 100}).json()["data"]
        if found := [event for event in events if (event["type"], event["data"]["id"]) == (kind, upload_id)]:
            check_told(found[0])
            return
        assert time.monotonic() < ends_at
        time.sleep(0.05)


def test_an_unfinished_upload_is_swept_with_its_parts(
    stack: Stack, alice_http: Tenant, database: psycopg.Connection[Any]
) -> None:
    client = alice_http.live
    ticket = _in_parts(client)
    _send(ticket, 1)
    from apikit import ids

    upload_id = ids.parse(ids.UPLOAD, ticket["id"])
    assert upload_id is not None
    folder = Home(stack.home).objects / "objects" / "t" / tenant_uuid(alice_http).hex / "uploads"
    assert (folder / f"{upload_id.hex}%parts").is_dir()
    database.execute("UPDATE due_date SET due_at = now() WHERE subject_id = %s", [upload_id])
    ends_at = time.monotonic() + 30
    while client.get(f"/v1/uploads/{ticket['id']}").status_code == 200:
        assert time.monotonic() < ends_at
        time.sleep(0.05)
    check_problem(put(ticket["parts"][1], RECORDING[PART_BYTES:]), 409, "upload_closed")
    assert not (folder / f"{upload_id.hex}%parts").exists()
    _await_event(client, "upload.expired", ticket["id"])


@pytest.mark.parametrize("size", [5 * 1_048_576 - 1, 0, "16"])
def test_a_part_is_not_too_small(alice_http: Tenant, size: Any) -> None:
    body = {"filename": "a.wav", "size_bytes": 20_000_000, "part_size_bytes": size}
    problem = check_problem(alice_http.live.post("/v1/uploads", json=body), 422, "invalid_request")
    assert problem["errors"][0]["field"] == "part_size_bytes"


def test_a_read_only_key_sees_what_arrived_and_gets_no_url(alice_http: Tenant, new_key: Any, stack: Stack) -> None:
    ticket = _in_parts(alice_http.live)
    reader = stack.client(new_key(alice_http, "--scope", "transcriptions:read")["api_key"])
    assert _statuses(reader, ticket)[0] == "pending"
    check_problem(_ticket(ticket, "resume", reader), 403, "scope_missing")


def test_the_same_file_uploaded_again_is_the_same_request(alice_http: Tenant, clip: bytes) -> None:
    client, headers = alice_http.live, {"Idempotency-Key": f"same-file-{time.time_ns()}"}

    def order(data: bytes) -> tuple[str, httpx.Response]:
        ticket = create_upload(client, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        assert put(ticket, data).status_code == 200
        body = {"upload_id": ticket["id"], "engine": "simulated"}
        return ticket["id"], client.post("/v1/transcriptions", json=body, headers=headers)

    (_, first), (unneeded, second) = order(clip), order(clip)
    assert first.json()["id"] == second.json()["id"]
    assert second.headers["idempotency-replayed"] == "true"
    assert client.get(f"/v1/uploads/{unneeded}").json()["status"] == "used"  # and its file is gone
    check_problem(order(tone(seed=7))[1], 422, "idempotency_key_reused")

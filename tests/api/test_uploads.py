"""Uploads: a ticket takes exactly one file, once, for one transcription."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg
from stack import Tenant

from tests.api.calls import check_problem, create_upload, put, tenant_uuid, upload, without_id

UNKNOWN = "upl_01aaaaaaaaaaaaaaaaaaaaaaaa"


def _use(tenant: Tenant, upload_id: str) -> Any:
    return tenant.live.post("/v1/transcriptions", json={"upload_id": upload_id, "engine": "simulated"})


def test_it_tells_whether_the_file_has_arrived(alice_http: Tenant, clip: bytes) -> None:
    ticket = create_upload(alice_http.live, size_bytes=len(clip), sha256=hashlib.sha256(clip).hexdigest())
    path = f"/v1/uploads/{ticket['id']}"
    assert alice_http.live.get(path).json()["status"] == "pending"
    assert put(ticket, clip).status_code == 200
    shown = alice_http.live.get(path).json()
    assert shown["status"] == "completed"
    assert "upload" not in shown  # the signed URL is shown once
    assert _use(alice_http, ticket["id"]).status_code == 202
    assert alice_http.live.get(path).json()["status"] == "used"


def test_it_takes_exactly_what_was_announced(alice_http: Tenant, clip: bytes) -> None:
    ticket = create_upload(alice_http.live, size_bytes=len(clip))
    assert put(ticket, clip + b"x").status_code == 413
    assert put(ticket, clip[:-1]).status_code == 400
    assert put(ticket, clip, **{"Content-Type": "text/html"}).status_code == 415
    assert alice_http.live.get(f"/v1/uploads/{ticket['id']}").json()["status"] == "pending"
    assert put(ticket, clip).status_code == 200


def test_it_refuses_another_file_than_the_announced_checksum(alice_http: Tenant, clip: bytes) -> None:
    ticket = create_upload(alice_http.live, size_bytes=len(clip), sha256=hashlib.sha256(b"other").hexdigest())
    check_problem(put(ticket, clip), 422, "checksum_mismatch")


def test_it_takes_a_file_once(alice_http: Tenant, clip: bytes) -> None:
    ticket = create_upload(alice_http.live, size_bytes=len(clip))
    assert put(ticket, clip).status_code == 200
    check_problem(put(ticket, clip), 409, "upload_already_complete")


def test_a_changed_url_is_refused(alice_http: Tenant, clip: bytes) -> None:
    ticket = create_upload(alice_http.live, size_bytes=len(clip))
    other = create_upload(alice_http.live, size_bytes=len(clip))
    query = ticket["upload"]["url"].partition("?")[2]
    swapped = other["upload"] | {"url": other["upload"]["url"].partition("?")[0] + "?" + query}
    check_problem(put({"upload": swapped}, clip), 403, "signature_invalid")


def test_an_upload_cannot_be_used_before_its_file_is_there(alice_http: Tenant) -> None:
    ticket = create_upload(alice_http.live, size_bytes=5)
    check_problem(_use(alice_http, ticket["id"]), 409, "upload_incomplete")


def test_an_upload_is_used_once(alice_http: Tenant, clip: bytes) -> None:
    upload_id = upload(alice_http.live, clip)
    assert _use(alice_http, upload_id).status_code == 202
    check_problem(_use(alice_http, upload_id), 409, "upload_used")


def test_an_expired_upload_is_refused_and_later_gone(
    alice_http: Tenant, clip: bytes, database: psycopg.Connection[Any]
) -> None:
    upload_id = upload(alice_http.live, clip)
    schema = _schema(database, alice_http)
    database.execute(f'UPDATE "{schema}".upload SET expires_at = now() WHERE used_at IS NULL')
    check_problem(_use(alice_http, upload_id), 409, "upload_expired")


def test_another_tenants_upload_is_like_none(alice_http: Tenant, charlie_http: Tenant, clip: bytes) -> None:
    upload_id = upload(alice_http.live, clip)
    assert without_id(_use(charlie_http, upload_id)) == without_id(_use(charlie_http, UNKNOWN))
    check_problem(_use(charlie_http, upload_id), 404, "not_found")
    assert _use(alice_http, upload_id).status_code == 202


def test_an_upload_of_the_other_mode_is_like_none(alice_http: Tenant, clip: bytes) -> None:
    upload_id = upload(alice_http.live, clip)
    path = f"/v1/uploads/{upload_id}"
    assert without_id(alice_http.test.get(path)) == without_id(alice_http.test.get(f"/v1/uploads/{UNKNOWN}"))
    refused = alice_http.test.post("/v1/transcriptions", json={"upload_id": upload_id})
    check_problem(refused, 404, "not_found")


def _schema(database: psycopg.Connection[Any], tenant: Tenant) -> str:
    row = database.execute("SELECT schema_name FROM tenant WHERE id = %s", [tenant_uuid(tenant)]).fetchone()
    assert row is not None
    return str(row[0])

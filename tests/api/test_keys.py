"""Who may call: one answer for every key that is none, scopes, addresses, revocation."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest
from stack import Stack, Tenant

from tests.api.calls import Answer, check_problem, order, raw, raw_request, tenant_uuid, without_id
from tests.api.test_transcriptions import UNKNOWN

LIST = "/v1/transcriptions"
NewKey = Callable[..., dict[str, Any]]


def _with(stack: Stack, *lines: bytes, path: str = LIST) -> Answer:
    head = b"".join(line + b"\r\n" for line in lines)
    return raw(stack.url, b"GET " + path.encode() + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + head + b"\r\n")


def test_every_key_that_is_none_gets_the_same_answer(
    stack: Stack, alice_http: Tenant, new_key: NewKey, database: psycopg.Connection[Any]
) -> None:
    revoked, expired = new_key(alice_http), new_key(alice_http)
    stack.parlance("key", "revoke", revoked["id"])
    database.execute(
        "UPDATE api_key SET expires_at = now() - interval '1 second' WHERE hint LIKE %s AND tenant_id = %s",
        ["%…" + expired["api_key"][-4:], tenant_uuid(alice_http)],
    )
    good = alice_http.api_key
    unknown = "parl_live_" + "0" * 43
    from tenants.keys import _checksum

    keys = [
        b"", b"x", b"parl_live_", good[:-1].encode(), good.swapcase().encode(), (unknown + _checksum(unknown)).encode(),
        revoked["api_key"].encode(), expired["api_key"].encode(), "열쇠".encode(), b"\xff\xfe", b"a" * 4_000,
        b"' OR 1=1 --", good.encode() + b" " + good.encode(),
    ]  # fmt: skip
    answers = [_with(stack, b"authorization: Bearer " + key) for key in keys]
    answers += [
        _with(stack),
        _with(stack, b"authorization: Basic " + good.encode()),
        _with(stack, b"x-api-key: nothing"),
    ]
    check_problem(answers[0], 401, "invalid_api_key")
    assert all(without_id(answer) == without_id(answers[0]) for answer in answers)
    assert all(answer.headers["www-authenticate"].startswith("Bearer") for answer in answers)
    names = [sorted(set(answer.headers) - {"date"}) for answer in answers]
    assert all(name == names[0] for name in names)


def test_a_key_in_the_query_is_not_looked_at(stack: Stack, alice_http: Tenant) -> None:
    for name in ("key", "api_key", "access_token", "token"):
        check_problem(_with(stack, path=f"{LIST}?{name}={alice_http.api_key}"), 401, "invalid_api_key")


def test_two_different_keys_are_refused(stack: Stack, alice_http: Tenant, charlie_http: Tenant) -> None:
    mine, other = (b"authorization: Bearer " + tenant.api_key.encode() for tenant in (alice_http, charlie_http))
    assert _with(stack, mine).status == 200
    check_problem(_with(stack, mine, other), 401, "invalid_api_key")
    check_problem(_with(stack, mine, b"x-api-key: " + charlie_http.api_key.encode()), 401, "invalid_api_key")


def test_the_other_header_works_too(stack: Stack, alice_http: Tenant) -> None:
    assert _with(stack, b"x-api-key: " + alice_http.api_key.encode()).status == 200


def test_a_header_of_a_megabyte_or_with_nul_is_refused(stack: Stack, alice_http: Tenant) -> None:
    assert _with(stack, b"authorization: Bearer " + b"a" * 1_000_000).status in {400, 401, 431}
    assert _with(stack, b"authorization: Bearer " + alice_http.api_key.encode() + b"\x00").status in {400, 401}
    assert alice_http.live.get(LIST).status_code == 200


def test_nothing_but_the_key_names_the_tenant(stack: Stack, alice_http: Tenant, charlie_http: Tenant) -> None:
    spoofs = (b"host: alice", b"x-tenant: alice", b"x-tenant-id: " + alice_http.id.encode(), b"x-forwarded-host: alice")
    key = b"authorization: Bearer " + charlie_http.api_key.encode()
    for line in spoofs[1:]:
        shown = _with(stack, key, line, path=f"{LIST}?tenant_id={alice_http.id}&schema=public")
        assert shown.status == 422 or shown.json()["data"] == charlie_http.live.get(LIST).json()["data"]


@pytest.mark.parametrize(
    ("scope", "fine", "refused"),
    [
        ("transcriptions:read", ("GET", LIST), ("POST", "/v1/uploads")),
        ("transcriptions:write", ("POST", "/v1/uploads"), ("GET", LIST)),
        ("usage:read", ("GET", "/v1/usage"), ("GET", "/v1/webhook-endpoints")),
        ("webhooks:manage", ("GET", "/v1/webhook-endpoints"), ("GET", "/v1/usage")),
    ],
)
def test_a_key_does_what_its_scopes_say(
    stack: Stack, alice_http: Tenant, new_key: NewKey, scope: str, fine: tuple[str, str], refused: tuple[str, str]
) -> None:
    client = stack.client(new_key(alice_http, "--scope", scope)["api_key"])
    body = {"filename": "a.wav", "size_bytes": 5}
    assert client.request(*fine, json=body if fine[0] == "POST" else None).status_code in {200, 201}
    assert scope not in check_problem(client.request(*refused, json=body), 403, "scope_missing")["detail"]


def test_a_key_that_may_only_write_still_gets_its_job(
    stack: Stack, alice_http: Tenant, new_key: NewKey, clip: bytes
) -> None:
    client = stack.client(new_key(alice_http, "--scope", "transcriptions:write")["api_key"])
    accepted = order(client, clip, headers={"Prefer": "wait=5"})
    assert accepted.status_code in {200, 202}  # 200 when the inline lane was free and has finished it
    assert accepted.json()["object"] == "transcription"
    check_problem(client.get(accepted.headers["Location"]), 403, "scope_missing")


def test_a_key_works_from_its_addresses_only(stack: Stack, alice_http: Tenant, new_key: NewKey) -> None:
    here = stack.client(new_key(alice_http, "--ip", "127.0.0.0/8")["api_key"])
    elsewhere = stack.client(new_key(alice_http, "--ip", "203.0.113.7")["api_key"])
    assert here.get(LIST).status_code == 200
    check_problem(elsewhere.get(LIST), 403, "ip_not_allowed")
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP"):
        check_problem(elsewhere.get(LIST, headers={header: "203.0.113.7"}), 403, "ip_not_allowed")


def test_a_revoked_key_is_dead_within_five_seconds(stack: Stack, alice_http: Tenant, new_key: NewKey) -> None:
    made = new_key(alice_http)
    client = stack.client(made["api_key"])
    assert client.get(LIST).status_code == 200
    stack.parlance("key", "revoke", made["id"])
    ends = time.monotonic() + 5.5
    while (answer := client.get(LIST)).status_code == 200:
        assert time.monotonic() < ends
    check_problem(answer, 401, "invalid_api_key")


def test_a_rotated_key_lives_on_for_its_overlap(stack: Stack, alice_http: Tenant, new_key: NewKey) -> None:
    import json

    old = new_key(alice_http)
    new = json.loads(stack.parlance("key", "rotate", old["id"], "--overlap-hours", "1", "--json"))
    assert [stack.client(key["api_key"]).get(LIST).status_code for key in (old, new)] == [200, 200]


def test_a_suspended_tenant_reads_but_starts_nothing(
    stack: Stack, clip: bytes, database: psycopg.Connection[Any]
) -> None:
    tenant = stack.tenant("suspended")
    done = order(tenant.live, clip, headers={"Prefer": "wait=20"}).json()
    stack.parlance("tenant", "suspend", tenant.id)
    ends = time.monotonic() + 6
    while (answer := tenant.live.post("/v1/uploads", json={"filename": "a", "size_bytes": 5})).status_code == 201:
        assert time.monotonic() < ends
    check_problem(answer, 403, "tenant_suspended")
    check_problem(order(tenant.live, clip), 403, "tenant_suspended")
    assert tenant.live.get(f"{LIST}/{done['id']}").json()["status"] == "completed"
    assert json.loads(stack.parlance("tenant", "show", tenant.id, "--json"))["status"] == "suspended"

    stack.parlance("tenant", "resume", tenant.id)
    assert order(tenant.live, clip, headers={"Prefer": "wait=20"}).status_code == 200
    changes = database.execute(
        "SELECT action, actor FROM audit_entry WHERE tenant_id = %s AND action IN ('tenant.suspended', "
        "'tenant.resumed') ORDER BY id", [tenant_uuid(tenant)],
    ).fetchall()  # fmt: skip
    assert changes == [("tenant.suspended", "operator"), ("tenant.resumed", "operator")]


def test_only_an_active_tenant_is_suspended_and_only_a_suspended_one_resumed(stack: Stack, alice_http: Tenant) -> None:
    with pytest.raises(AssertionError, match="only a suspended one can be resumed"):
        stack.parlance("tenant", "resume", alice_http.id)


def test_a_key_is_checked_before_the_body_is_read(stack: Stack, nobody_http: httpx.Client) -> None:
    head = b"POST /v1/transcriptions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    answer = raw(stack.url, head + b"content-length: 10000000000\r\n\r\n" + b"x" * 100_000, timeout_s=10)
    check_problem(answer, 401, "invalid_api_key")
    assert answer.headers["connection"] == "close"


def test_a_body_that_is_declared_too_large_is_refused_unread(alice_http: Tenant) -> None:
    huge = [("content-type", b"application/json")]
    head = {"client": alice_http.live, "method": "POST", "path": LIST}
    answer = raw_request(**head, body=b" " * 2_000_000, headers=huge)
    check_problem(answer, 413, "body_too_large")


def test_unknown_things_tell_nothing_to_strangers(nobody_http: httpx.Client) -> None:
    for path in ("/nope", "/v1/nope", f"{LIST}/{UNKNOWN}"):
        check_problem(nobody_http.get(path), 401, "invalid_api_key")

"""`/v1/api-keys`: a tenant looks after its keys by itself, and no key gives more than it has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from stack import Stack, Tenant

from tests.api.calls import check_problem

KEYS = "/v1/api-keys"
READ = ["transcriptions:read"]
NewKey = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def owner(stack: Stack) -> Tenant:
    return stack.tenant("owner of keys")


def make(client: httpx.Client, **body: Any) -> Any:
    made = client.post(KEYS, json={"scopes": READ} | body)
    assert made.status_code == 201, made.text
    return made.json()


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def test_a_key_is_made_used_renamed_and_revoked(stack: Stack, owner: Tenant) -> None:
    made = make(owner.live, name="reporting", expires_at=in_days(3), limits={"requests": {"quota": 9, "period_s": 60}})
    client = stack.client(made["secret"])
    assert client.get("/v1/transcriptions").headers["ratelimit-policy"] == '"key-requests";q=9;w=60'
    assert client.get(f"{KEYS}/current").json()["id"] == made["id"]
    check_problem(client.get(KEYS), 403, "scope_missing")

    renamed = owner.live.patch(f"{KEYS}/{made['id']}", json={"name": "for finance"}).json()
    assert (renamed["name"], renamed["scopes"], renamed["livemode"]) == ("for finance", READ, True)
    assert owner.live.get(f"{KEYS}/{made['id']}").json()["last_used_at"]

    assert owner.live.post(f"{KEYS}/{made['id']}/revoke").json()["status"] == "revoked"
    check_problem(client.get("/v1/transcriptions"), 401, "invalid_api_key")
    check_problem(owner.live.patch(f"{KEYS}/{made['id']}", json={"name": "again"}), 409, "key_ended")


def test_the_secret_is_shown_once_and_kept_nowhere(
    owner: Tenant, database: psycopg.Connection[Any], stack: Stack
) -> None:
    made = make(owner.live)
    secret = made.pop("secret")
    assert owner.live.get(f"{KEYS}/{made['id']}").json() == made
    assert secret not in owner.live.get(KEYS).text + owner.live.get("/v1/audit-log").text
    for table in ("api_key", "audit_entry", "outbox_event"):
        hits = database.execute(
            f"SELECT count(*) FROM {table} AS r WHERE row_to_json(r)::text LIKE %s", [f"%{secret[10:-4]}%"]
        ).fetchone()
        assert hits == (0,)


def test_a_key_gives_no_more_than_it_has(stack: Stack, owner: Tenant, new_key: NewKey) -> None:
    ends = "7"
    narrow = stack.client(
        new_key(
            owner, "--scope=api_keys:manage", "--scope=usage:read", "--ip=127.0.0.0/8", "--expires-days", ends,
            "--limit=requests=100/minute", "--local-only",
        )["api_key"]
    )  # fmt: skip
    mine = narrow.get(f"{KEYS}/current").json()
    inherited = make(narrow, scopes=["usage:read"])
    for name in ("ip_allow", "expires_at", "limits", "routing"):
        assert inherited[name] == mine[name], name
    assert inherited["routing"]["local_only"] is True
    wider = [
        {"scopes": ["transcriptions:read"]}, {"ip_allow": ["0.0.0.0/0"]}, {"ip_allow": []}, {"expires_at": in_days(8)},
        {"ip_allow": ["127.0.0.1", "::1"]},
    ]  # fmt: skip
    for body in wider:
        check_problem(narrow.post(KEYS, json={"scopes": ["usage:read"]} | body), 422, "key_too_wide")
        check_problem(narrow.patch(f"{KEYS}/{inherited['id']}", json=body), 422, "key_too_wide")
    # Rotating a wider key would hand out its rights.
    theirs = owner.live.get(f"{KEYS}/current").json()["id"]
    check_problem(narrow.post(f"{KEYS}/{theirs}/rotate", json={}), 422, "key_too_wide")
    assert owner.live.get(f"{KEYS}/current").json()["replaced_by"] is None
    faster = make(narrow, scopes=["usage:read"], limits={"requests": {"quota": 500, "period_s": 1}})
    assert faster["limits"]["requests"] == {"quota": 100, "period_s": 60}


def test_a_test_key_makes_and_sees_test_keys_only(owner: Tenant) -> None:
    made = make(owner.test)
    assert made["livemode"] is False
    assert made["secret"].startswith("parl_test_")
    check_problem(owner.live.get(f"{KEYS}/{made['id']}"), 404, "not_found")
    assert all(key["livemode"] is False for key in owner.test.get(KEYS).json()["data"])


def test_a_rotated_key_lives_on_beside_the_new_one_for_its_overlap(stack: Stack, owner: Tenant) -> None:
    old = make(owner.live, ip_allow=["127.0.0.1"], name="rotates")
    new = owner.live.post(f"{KEYS}/{old['id']}/rotate", json={"overlap_hours": 1}).json()
    assert (new["name"], new["ip_allow"]) == ("rotates", ["127.0.0.1/32"])
    for secret in (old["secret"], new["secret"]):
        assert stack.client(secret).get("/v1/transcriptions").status_code == 200
    shown = owner.live.get(f"{KEYS}/{old['id']}").json()
    assert shown["replaced_by"] == new["id"]
    assert datetime.fromisoformat(shown["expires_at"]) - datetime.now(UTC) <= timedelta(hours=1)

    last = owner.live.post(f"{KEYS}/{new['id']}/rotate", json={"overlap_hours": 0})
    assert last.status_code == 201
    check_problem(stack.client(new["secret"]).get("/v1/transcriptions"), 401, "invalid_api_key")


def test_a_revocation_by_the_operator_takes_effect_at_once(stack: Stack, owner: Tenant) -> None:
    """The web process hears of it before the command has ended."""
    made = make(owner.live)
    client = stack.client(made["secret"])
    assert client.get("/v1/transcriptions").status_code == 200
    stack.parlance("key", "revoke", made["id"])
    check_problem(client.get("/v1/transcriptions"), 401, "invalid_api_key")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": ["root"]}, "scopes.0"), ({"scopes": []}, "scopes"), ({"ip_allow": ["somewhere"]}, "ip_allow.0"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"), ({"expires_at": "tomorrow"}, "expires_at"),
        ({"livemode": False}, "livemode"), ({"tenant_id": "ten_1"}, "tenant_id"), ({"secret": "x"}, "secret"),
        ({"limits": {"requests": {"quota": 0, "period_s": 60}}}, "limits.requests.quota"), ({"name": "\x00"}, "name"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_its_field(owner: Tenant, body: dict[str, Any], field: str) -> None:
    before = len(owner.live.get(KEYS, params={"limit": 100}).json()["data"])
    problem = check_problem(owner.live.post(KEYS, json={"scopes": READ} | body), 422, "invalid_request")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert len(owner.live.get(KEYS, params={"limit": 100}).json()["data"]) == before


def test_the_list_is_paged(stack: Stack) -> None:
    someone = stack.tenant("pages of keys")
    made = [make(someone.live)["id"] for _ in range(3)]
    first = someone.live.get(KEYS, params={"limit": 2}).json()
    assert first["has_more"]
    rest = someone.live.get(KEYS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [key["id"] for key in first["data"] + rest["data"]][:3] == made[::-1]

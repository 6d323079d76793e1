"""What the operator does over HTTP: tenants made, seen, suspended, resumed and closed, with keys of its own kind."""

from __future__ import annotations

import json
from typing import Any

import httpx
import psycopg
import pytest
from stack import Stack, Tenant

from apikit import ids
from tests.api.calls import check_problem, order

JSON = dict[str, Any]
ADMIN = "/v1/admin/tenants"


def operator(stack: Stack, name: str, *options: str) -> JSON:
    made: JSON = json.loads(stack.parlance("operator", "create", name, "--json", *options))
    return made


@pytest.fixture(scope="module")
def ops(stack: Stack) -> tuple[httpx.Client, str]:
    """An operator's client, and the id of its key."""
    made = operator(stack, "ops team")
    return stack.client(made["operator_key"]), made["id"]


def actions(database: psycopg.Connection[Any], tenant_id: str) -> list[tuple[str, str, str, Any]]:
    found = database.execute(
        "SELECT action, actor, address, before, after FROM audit_entry"
        " WHERE tenant_id = %s AND action LIKE 'tenant.%%' ORDER BY id",
        [ids.parse(ids.TENANT, tenant_id)],
    )
    return list(found)


def test_a_tenants_whole_life_over_http(
    stack: Stack, ops: tuple[httpx.Client, str], database: psycopg.Connection[Any], clip: bytes
) -> None:
    client, key_id = ops
    made = client.post(ADMIN, json={"name": "whole life", "currency": "KRW", "time_zone": "Asia/Seoul"})
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    tenant, path = made.json(), made.headers["location"]
    live, test = stack.client(tenant.pop("api_key")), stack.client(tenant.pop("test_api_key"))
    assert client.get(path).json() == tenant
    assert (tenant["status"], tenant["currency"], tenant["time_zone"]) == ("active", "KRW", "Asia/Seoul")
    assert order(test, clip).status_code == 202

    assert client.post(f"{path}/suspend").json()["status"] == "suspended"
    assert client.post(f"{path}/suspend").json()["status"] == "suspended"
    check_problem(order(live, clip), 403, "tenant_suspended")
    assert client.post(f"{path}/resume").json()["status"] == "active"
    assert order(test, clip).status_code == 202

    closed = client.post(f"{path}/close", json={"grace_days": 7}).json()
    assert (closed["status"], closed["erase_at"] > closed["closed_at"]) == ("closed", True)
    assert client.post(f"{path}/close", json={"grace_days": 1}).json() == closed
    check_problem(live.get("/v1/transcriptions"), 401, "invalid_api_key")
    for verb in ("suspend", "resume"):
        check_problem(client.post(f"{path}/{verb}"), 409, "tenant_ended")

    told = actions(database, tenant["id"])
    done = ["tenant.created", "tenant.suspended", "tenant.resumed", "tenant.closed"]
    assert [action for action, *_ in told] == done  # what changed nothing left no row
    assert {(actor, address) for _, actor, address, *_ in told} == {(key_id, "127.0.0.1")}
    assert [before for *_, before, _ in told] == [
        None, {"status": "active"}, {"status": "suspended"}, {"status": "active"},
    ]  # fmt: skip
    assert all(after for *_, after in told)


def test_tenants_are_listed_newest_first_by_name_and_status(ops: tuple[httpx.Client, str]) -> None:
    client, _ = ops
    made = [client.post(ADMIN, json={"name": "listed twice"}).json()["id"] for _ in range(2)]
    client.post(f"{ADMIN}/{made[0]}/suspend")

    def listed(**wanted: Any) -> list[str]:
        found = client.get(ADMIN, params={"name": "listed twice", **wanted}).json()
        return [row["id"] for row in found["data"]]

    assert listed() == made[::-1]
    assert (listed(status="suspended"), listed(status="active")) == ([made[0]], [made[1]])
    page = client.get(ADMIN, params={"name": "listed twice", "limit": 1}).json()
    assert page["has_more"]
    assert listed(cursor=page["next_cursor"]) == [made[0]]


@pytest.mark.parametrize(
    ("body", "field"),
    [({"name": "a", "currency": "ZZZ"}, "currency"), ({"name": "a", "currency": "usd"}, "currency"),
     ({"name": "a", "time_zone": "Mars/Phobos"}, "time_zone"), ({"name": " "}, "name"), ({}, "name"),
     ({"name": "a", "plan": "gold"}, "plan")],
)  # fmt: skip
def test_a_wrong_tenant_is_refused_by_its_field_and_not_made(
    ops: tuple[httpx.Client, str], body: JSON, field: str
) -> None:
    newest = ops[0].get(ADMIN, params={"limit": 1}).json()["data"]
    problem = check_problem(ops[0].post(ADMIN, json=body), 422, "invalid_request")
    assert problem["errors"][0]["field"] == field
    assert ops[0].get(ADMIN, params={"limit": 1}).json()["data"] == newest


@pytest.mark.parametrize("path", ["/v1/transcriptions", "/v1/api-keys/current", "/v1/usage", "/v1/audit-log"])
def test_an_operators_key_opens_nothing_of_tenants(ops: tuple[httpx.Client, str], path: str) -> None:
    check_problem(ops[0].get(path), 403, "wrong_key_kind")


def test_no_other_key_opens_what_is_the_operators(stack: Stack, alice_http: Tenant, nobody_http: httpx.Client) -> None:
    check_problem(alice_http.live.get(ADMIN), 403, "wrong_key_kind")
    check_problem(nobody_http.get(ADMIN), 401, "invalid_api_key")
    from tenants import keys

    check_problem(stack.client(keys.generate_operator()).get(ADMIN), 401, "invalid_api_key")


def test_a_key_ends_with_its_revocation_and_counts_only_where_it_may(stack: Stack) -> None:
    made, elsewhere = (
        operator(stack, "leaver", "--expires-days", "30"),
        operator(stack, "away", "--ip", "203.0.113.0/24"),
    )
    client = stack.client(made["operator_key"])
    assert client.get(ADMIN).status_code == 200
    check_problem(stack.client(elsewhere["operator_key"]).get(ADMIN), 403, "ip_not_allowed")
    stack.parlance("operator", "revoke", made["id"])
    check_problem(client.get(ADMIN), 401, "invalid_api_key")

    listed = {row["id"]: row for row in json.loads(stack.parlance("operator", "list", "--json"))["data"]}
    assert (listed[made["id"]]["status"], listed[elsewhere["id"]]["status"]) == ("revoked", "active")
    assert listed[made["id"]]["last_used_at"]
    assert made["operator_key"] not in json.dumps(listed)


def test_an_operators_requests_are_limited(ops: tuple[httpx.Client, str]) -> None:
    headers = ops[0].get(ADMIN, params={"limit": 1}).headers
    assert headers["ratelimit-policy"] == '"requests";q=300;w=60'


def test_no_role_but_the_owner_reads_operators_keys(stack: Stack, ops: tuple[httpx.Client, str]) -> None:
    from workers.embedded.home import Home

    environ = Home(stack.home).state()["env"]
    for name in ("DATABASE_URL", "DATABASE_SYSTEM_URL"):
        with psycopg.connect(environ[name]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT digest FROM operator_key")


def test_the_tenant_sees_that_it_was_the_operator_and_not_which(stack: Stack, ops: tuple[httpx.Client, str]) -> None:
    tenant = ops[0].post(ADMIN, json={"name": "looks at its log"}).json()
    rows = stack.client(tenant["api_key"]).get("/v1/audit-log").json()["data"]
    assert {row["action"] for row in rows} == {"tenant.created", "api_key.created"}
    assert {(row["actor"]["type"], row["actor"]["id"], row["address"]) for row in rows} == {("operator", None, None)}

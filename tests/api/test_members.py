"""A tenant's people over HTTP: invited by a link that works once, listed, changed, removed, never without an owner."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
from stack import Stack, Tenant

from console.finance import totp
from tests.api.calls import check_problem, tenant_uuid

JSON = dict[str, Any]
MEMBERS = "/v1/members"
PASSWORD = "a long enough passphrase"


@pytest.fixture(scope="module")
def operator(stack: Stack) -> httpx.Client:
    return stack.client(json.loads(stack.parlance("operator", "create", "teams", "--json"))["operator_key"])


@pytest.fixture
def team(stack: Stack, operator: httpx.Client) -> Tenant:
    """A tenant without people."""
    made = operator.post("/v1/admin/tenants", json={"name": "team"}).json()
    live, test = made["api_key"], made["test_api_key"]
    return Tenant(made["id"], stack.client(live), stack.client(test), live, test)


def invited(client: httpx.Client, email: str, role: str = "owner") -> JSON:
    answer = client.post(MEMBERS, json={"email": email, "role": role})
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    found: JSON = answer.json()
    return found


def join(stack: Stack, url: str) -> httpx.Response:
    """What the person does in a browser."""
    with httpx.Client(base_url=stack.url, trust_env=False) as browser:
        page = browser.get(httpx.URL(url).path)
        if page.status_code != 200:
            return page
        secret = re.search(r"<code>([A-Z2-7]+)</code>", page.text)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert secret
        assert token
        code = totp.code_at(base64.b32decode(secret[1]), int(time.time()))
        form = {"csrfmiddlewaretoken": token[1], "password": PASSWORD, "again": PASSWORD, "code": code}
        done = browser.post(httpx.URL(url).path, data=form, headers={"Referer": f"{stack.url}/"})
        assert "finance_session" not in browser.cookies
        return done


def test_somebody_is_invited_joins_and_is_removed(stack: Stack, team: Tenant) -> None:
    made = invited(team.live, "Ann@Example.com")
    shown = {name: value for name, value in made.items() if name != "join_url"}
    assert (made["email"], made["role"], made["status"]) == ("ann@example.com", "owner", "invited")
    assert team.live.get(f"{MEMBERS}/{made['id']}").json() == shown
    assert team.live.get(MEMBERS).json()["data"] == [shown]

    assert join(stack, made["join_url"]).status_code == 200
    assert team.live.get(f"{MEMBERS}/{made['id']}").json()["status"] == "active"
    assert join(stack, made["join_url"]).status_code == 410

    other = invited(team.live, "ben@example.com", "viewer")
    assert team.live.patch(f"{MEMBERS}/{other['id']}", json={"role": "admin"}).json()["role"] == "admin"
    assert team.live.delete(f"{MEMBERS}/{other['id']}").json()["deleted"]
    check_problem(team.live.get(f"{MEMBERS}/{other['id']}"), 404, "not_found")
    assert join(stack, other["join_url"]).status_code == 410


def test_joining_is_told_by_the_members_own_name_and_addresses_are_not_kept(stack: Stack, team: Tenant) -> None:
    made = invited(team.live, "logged@example.com")
    join(stack, made["join_url"])
    rows = team.live.get("/v1/audit-log", params={"action": "member.*"}).json()["data"]
    assert [row["action"] for row in rows] == ["member.joined", "member.invited"]
    assert rows[0]["actor"] == {"type": "member", "id": made["id"]}
    assert {row["subject"] for row in rows} == {made["id"]}
    assert "logged@example.com" not in str(rows)


def test_a_member_is_nobody_to_finance(stack: Stack, team: Tenant) -> None:
    made = invited(team.live, "nosy@example.com")
    join(stack, made["join_url"])
    with httpx.Client(base_url=stack.url, trust_env=False) as browser:
        page = browser.get("/finance/login")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        form = {"csrfmiddlewaretoken": token[1], "email": "nosy@example.com", "password": PASSWORD, "code": "000000"}
        assert browser.post("/finance/login", data=form, headers={"Referer": f"{stack.url}/"}).status_code == 403
        assert browser.get("/finance/", follow_redirects=False).headers["location"] == "/finance/login"


def test_a_newer_link_ends_the_older_and_leads_who_lost_it_back(stack: Stack, team: Tenant) -> None:
    made = invited(team.live, "lost@example.com")
    again = team.live.post(f"{MEMBERS}/{made['id']}/invite").json()
    assert join(stack, made["join_url"]).status_code == 410
    assert join(stack, again["join_url"]).status_code == 200
    third = team.live.post(f"{MEMBERS}/{made['id']}/invite").json()
    assert (third["status"], join(stack, third["join_url"]).status_code) == ("active", 200)


def test_the_last_owner_who_joined_stays(stack: Stack, team: Tenant) -> None:
    first = invited(team.live, "first@example.com")
    path = f"{MEMBERS}/{first['id']}"
    check_problem(team.live.delete(path), 409, "last_owner")
    join(stack, first["join_url"])
    second = invited(team.live, "second@example.com")
    for answer in (team.live.delete(path), team.live.patch(path, json={"role": "admin"})):
        check_problem(answer, 409, "last_owner")  # the second one has not joined
    join(stack, second["join_url"])
    assert team.live.patch(path, json={"role": "admin"}).json()["role"] == "admin"
    check_problem(team.live.delete(f"{MEMBERS}/{second['id']}"), 409, "last_owner")


def test_two_owners_cannot_remove_each_other_at_once(team: Tenant) -> None:
    for attempt in range(5):
        paths = [f"{MEMBERS}/{invited(team.live, f'{one}{attempt}@example.com')['id']}" for one in "ab"]
        for row in team.live.get(MEMBERS).json()["data"][2:]:
            team.live.delete(f"{MEMBERS}/{row['id']}")
        with ThreadPoolExecutor(2) as pool:
            statuses = sorted(answer.status_code for answer in pool.map(team.live.delete, paths))
        assert statuses == [200, 409]


def test_nobody_makes_a_person_who_may_more_than_the_key(
    team: Tenant, stack: Stack, new_key: Callable[..., JSON]
) -> None:
    owner = f"{MEMBERS}/{invited(team.live, 'own@example.com')['id']}"
    scopes = ("members:manage", "usage:read", "billing:manage")
    narrow = stack.client(new_key(team, *(word for one in scopes for word in ("--scope", one)))["api_key"])
    money = f"{MEMBERS}/{invited(narrow, 'money@example.com', 'billing')['id']}"
    check_problem(narrow.post(MEMBERS, json={"email": "x@example.com", "role": "viewer"}), 422, "key_too_wide")
    for answer in (narrow.patch(money, json={"role": "owner"}), narrow.patch(owner, json={"role": "billing"}),
                   narrow.delete(owner), narrow.post(f"{owner}/invite")):  # fmt: skip
        check_problem(answer, 422, "key_too_wide")
    without = stack.client(new_key(team, "--scope", "usage:read")["api_key"])
    check_problem(without.get(MEMBERS), 403, "scope_missing")


@pytest.mark.parametrize(
    "email", ["nobody", "a@b", "a b@example.com", "a@example.com\n", "@example.com", "x" * 200 + "@a.example"]
)
def test_what_is_no_address_is_refused(team: Tenant, email: str) -> None:
    problem = check_problem(team.live.post(MEMBERS, json={"email": email, "role": "viewer"}), 422, "invalid_request")
    assert problem["errors"][0]["field"] == "email"


def test_an_address_is_taken_once_in_a_tenant_and_free_in_another(team: Tenant, alice_http: Tenant) -> None:
    invited(team.live, "same@example.com")
    check_problem(team.live.post(MEMBERS, json={"email": "SAME@example.com", "role": "viewer"}), 409, "member_exists")
    invited(alice_http.live, "same@example.com", "viewer")


def test_people_are_the_live_keys_concern(team: Tenant) -> None:
    made = invited(team.live, "live@example.com")
    check_problem(team.test.post(MEMBERS, json={"email": "t@example.com", "role": "viewer"}), 403, "live_key_required")
    assert team.test.get(MEMBERS).json()["data"] == []
    check_problem(team.test.delete(f"{MEMBERS}/{made['id']}"), 404, "not_found")


def test_no_password_or_link_is_kept_readable(team: Tenant, stack: Stack, database: psycopg.Connection[Any]) -> None:
    made = invited(team.live, "kept@example.com")
    join(stack, invited(team.live, "kept-too@example.com")["join_url"])
    rows = database.execute(
        "SELECT s::text, l::text FROM staff s LEFT JOIN staff_link l ON l.staff_id = s.id WHERE s.tenant_id = %s",
        [tenant_uuid(team)],
    ).fetchall()
    assert len(rows) == 2
    assert made["join_url"].rpartition("/")[2] not in str(rows)
    assert PASSWORD not in str(rows)

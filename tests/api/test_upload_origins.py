"""Web pages may send to signed URLs from the origins that the tenant has registered, and from no other."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import psycopg
import pytest
from stack import Stack, Tenant

from tests.api.calls import check_problem, create_upload, tenant_uuid

ROUTE = "/v1/upload-origins"
PAGE = "https://app.example.com"


@pytest.fixture
def someone(stack: Stack) -> Tenant:
    return stack.tenant(f"pages {time.time_ns()}")


def _register(tenant: Tenant, *origins: str) -> None:
    assert tenant.live.put(ROUTE, json={"origins": list(origins)}).status_code == 200


def _preflight(ticket: Any, origin: str) -> httpx.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    return httpx.options(ticket["upload"]["url"], headers=asked, trust_env=False)


def test_a_browser_may_send_from_a_registered_origin_alone(someone: Tenant, charlie_http: Tenant) -> None:
    _register(someone, PAGE)
    ticket = create_upload(someone.live, size_bytes=5)
    allowed = _preflight(ticket, PAGE)
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == PAGE
    assert allowed.headers["vary"] == "Origin"
    for other in ("https://evil.example", "null", PAGE + ":8443", "http://app.example.com"):
        refused = _preflight(ticket, other)
        check_problem(refused, 403, "origin_not_allowed")
        assert "access-control-allow-origin" not in refused.headers
    theirs = create_upload(charlie_http.live, size_bytes=5)
    check_problem(_preflight(theirs, PAGE), 403, "origin_not_allowed")


def test_origins_are_shown_replaced_and_the_same_in_both_modes(someone: Tenant) -> None:
    assert someone.live.get(ROUTE).json() == {"object": "upload_origins", "origins": []}
    _register(someone, PAGE, "http://localhost:3000", PAGE)
    assert someone.test.get(ROUTE).json()["origins"] == ["http://localhost:3000", PAGE]
    _register(someone)
    assert someone.live.get(ROUTE).json()["origins"] == []


@pytest.mark.parametrize("wrong", ["*", "null", "", "https://a.example/", "https://*.example", "http://a.example", "a"])
def test_what_no_browser_states_is_refused(someone: Tenant, wrong: str) -> None:
    _register(someone, PAGE)
    refused = someone.live.put(ROUTE, json={"origins": [PAGE, wrong]})
    check_problem(refused, 422, "invalid_request")
    assert someone.live.get(ROUTE).json()["origins"] == [PAGE]


def test_it_takes_a_scope_of_its_own(someone: Tenant, new_key: Any, stack: Stack) -> None:
    writer = stack.client(new_key(someone, "--scope", "transcriptions:write")["api_key"])
    for refused in (writer.get(ROUTE), writer.put(ROUTE, json={"origins": []})):
        check_problem(refused, 403, "scope_missing")


def test_a_change_is_written_down(someone: Tenant, database: psycopg.Connection[Any]) -> None:
    _register(someone, PAGE)
    sql = "SELECT before, after FROM audit_entry WHERE tenant_id = %s AND action = 'upload_origins.changed'"
    assert database.execute(sql, [tenant_uuid(someone)]).fetchall() == [({"origins": []}, {"origins": [PAGE]})]


def test_the_operator_changes_them_by_command(stack: Stack, someone: Tenant) -> None:
    added = json.loads(stack.parlance("tenant", "origins", someone.id, "--add", PAGE, "--json"))
    assert added == someone.live.get(ROUTE).json()
    gone = json.loads(stack.parlance("tenant", "origins", someone.id, "--remove", PAGE, "--json"))
    assert gone["origins"] == []

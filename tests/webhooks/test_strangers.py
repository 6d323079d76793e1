"""Every route of webhooks, asked by somebody of another tenant, of the other mode, and without the scope.

The routes come from the OpenAPI document: a new one fails here until it has a row.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tenants.facade import SCOPES, authenticate
from webhooks.facade import deliver_due, dispatch_events

OURS = ("/v1/webhook-endpoints", "/v1/events", "/v1/deliveries")
MANAGE = "webhooks:manage"
READ = "transcriptions:read"
LONG_AGO, FAR_AWAY = "2026-01-01T00:00:00Z", "2100-01-01T00:00:00Z"


@dataclass(frozen=True)
class Row:
    """Any one of the scopes opens the route; the body is right, so that only the id or the scope can be wrong."""

    scopes: tuple[str, ...] = (MANAGE,)
    body: dict[str, Any] | None = None
    query: str = ""  # of an id, for lists
    is_list: bool = False  # an unknown id's list is empty


ROWS = {
    "GET /v1/webhook-endpoints": Row(is_list=True),
    "POST /v1/webhook-endpoints": Row(body={"url": "https://93.184.216.34/", "event_types": ["*"]}),
    "GET /v1/webhook-endpoints/{endpoint_id}": Row(),
    "PATCH /v1/webhook-endpoints/{endpoint_id}": Row(body={"description": "mine now"}),
    "DELETE /v1/webhook-endpoints/{endpoint_id}": Row(),
    "POST /v1/webhook-endpoints/{endpoint_id}/rotate-secret": Row(body={"overlap_hours": 0}),
    "POST /v1/webhook-endpoints/{endpoint_id}/test": Row(),
    "POST /v1/webhook-endpoints/{endpoint_id}/recover": Row(body={"since": LONG_AGO}),
    "POST /v1/webhook-endpoints/{endpoint_id}/replay": Row(body={"from": LONG_AGO, "to": FAR_AWAY}),
    "GET /v1/webhook-endpoints/{endpoint_id}/replays": Row(),
    "GET /v1/webhook-endpoints/{endpoint_id}/replays/{replay_id}": Row(),
    "POST /v1/webhook-endpoints/{endpoint_id}/replays/{replay_id}/cancel": Row(),
    "GET /v1/webhook-endpoints/job-secret": Row(),
    "POST /v1/webhook-endpoints/job-secret/rotate": Row(body={"overlap_hours": 0}),
    "GET /v1/events": Row((MANAGE, READ), is_list=True),
    "GET /v1/events/{event_id}": Row((MANAGE, READ)),
    "GET /v1/deliveries": Row(query="?endpoint_id={endpoint_id}&event_id={event_id}", is_list=True),
    "GET /v1/deliveries/{delivery_id}": Row(),
    "POST /v1/deliveries/{delivery_id}/resend": Row(),
}
WITH_ID = sorted(route for route, row in ROWS.items() if "{" in route or row.query)
LISTS = sorted(route for route, row in ROWS.items() if row.is_list)


@pytest.fixture
def strangers(alice: Any, charlie: Any) -> dict[str, Any]:
    """Callers that must learn nothing: Charlie in both modes, and Alice's own test key."""
    keys = {"charlie": charlie.secret, "charlie, test": charlie.test_secret, "alice, test": alice.test_secret}
    return {name: authenticate(secret, address="127.0.0.1") for name, secret in keys.items()}


@pytest.fixture
def ids_of_alice(alice: Any, http: Any, endpoint: Any, publish: Callable[..., Any]) -> dict[str, str]:
    """One thing of each kind, as Alice is shown it."""
    publish()
    dispatch_events()
    deliver_due()
    [delivery] = http(alice, "GET", "/v1/deliveries")[1]["data"]
    path = f"/v1/webhook-endpoints/{delivery['endpoint_id']}"
    status, replay = http(alice, "POST", f"{path}/replay", {"from": LONG_AGO, "to": FAR_AWAY})
    assert status == 202
    assert http(alice, "POST", f"{path}/replays/{replay['id']}/cancel")[0] == 200  # one runs at a time
    own = {"delivery_id": delivery["id"], "replay_id": replay["id"]}
    return own | {name: delivery[name] for name in ("endpoint_id", "event_id")}


@pytest.fixture
def ask(http: Any) -> Callable[..., tuple[int, Any]]:
    """Calls a route of the table; request ids, which always differ, are left out."""

    def do(person: Any, route: str, ids: dict[str, str]) -> tuple[int, Any]:
        method, _, path = route.partition(" ")
        status, answer = http(person, method, (path + ROWS[route].query).format(**ids), ROWS[route].body)
        return status, {name: value for name, value in answer.items() if name != "request_id"}

    return do


def nobodys(ids: dict[str, str]) -> dict[str, str]:
    """Ids of the same kinds that nobody has."""
    return {name: shown[:-8] + "0" * 8 for name, shown in ids.items()}


def with_only(person: Any, *scopes: str) -> Any:
    return dataclasses.replace(person.caller, scopes=frozenset(scopes))


def test_every_route_has_its_row() -> None:
    from config.api import openapi

    paths = openapi()["paths"]
    assert {f"{method.upper()} {path}" for path in paths if path.startswith(OURS) for method in paths[path]} == set(
        ROWS
    )


@pytest.mark.parametrize("route", WITH_ID)
def test_strangers_cannot_tell_alices_ids_from_none(
    alice: Any, strangers: dict[str, Any], ids_of_alice: dict[str, str], ask: Any, rows: Any, route: str
) -> None:
    before = _stored(rows)
    for name, stranger in strangers.items():
        theirs, none = ask(stranger, route, ids_of_alice), ask(stranger, route, nobodys(ids_of_alice))
        assert theirs == none, name
        expected = 200 if ROWS[route].is_list else 404
        assert theirs[0] == expected, name
    assert _stored(rows) == before
    # The same call of Alice's own works: the refusals above had no other reason.
    assert ask(alice, route, ids_of_alice)[0] in (200, 202)


def test_lists_hold_nothing_of_others(
    alice: Any, strangers: dict[str, Any], ids_of_alice: dict[str, str], ask: Any
) -> None:
    for route in LISTS:
        assert len(ask(alice, route, ids_of_alice)[1]["data"]) == 1, route
        assert [ask(stranger, route, ids_of_alice)[1]["data"] for stranger in strangers.values()] == [[], [], []], route


def test_a_key_without_the_scope_is_refused_before_anything_is_looked_up(
    alice: Any, ids_of_alice: dict[str, str], ask: Any, rows: Any
) -> None:
    before = _stored(rows)
    for route, row in ROWS.items():
        others = with_only(alice, *(SCOPES - set(row.scopes)))
        for ids in (ids_of_alice, nobodys(ids_of_alice)):
            status, problem = ask(others, route, ids)
            assert (status, problem.get("code")) == (403, "scope_missing"), route
            assert any(scope in problem["detail"] for scope in row.scopes), route
    assert _stored(rows) == before


def test_one_scope_is_enough(alice: Any, ids_of_alice: dict[str, str], ask: Any) -> None:
    for route, row in ROWS.items():
        for scope in row.scopes:
            # Ids of nobody, so that no row ends what the next one needs.
            expected = {404} if "{" in route and not row.is_list else {200, 201}
            assert ask(with_only(alice, scope), route, nobodys(ids_of_alice))[0] in expected, (route, scope)


def _stored(rows: Any) -> list[Any]:
    """Everything that a refused call could have changed."""
    tables = ("webhook_endpoint", "delivery", "delivery_attempt", "outbox_event", "audit_entry")
    return [rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables]

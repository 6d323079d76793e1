"""The routes as a client sees them; Charlie is of another tenant and must see nothing."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import pytest
from django.db import ProgrammingError, connection, connections
from django.test.utils import CaptureQueriesContext

from apikit import ids
from tenants.facade import tenant_context
from webhooks.errors import TooManyEndpoints
from webhooks.event_types import EVENT_TYPES
from webhooks.facade import deliver_due, dispatch_events
from webhooks.services import create_endpoint

ENDPOINTS = "/v1/webhook-endpoints"


@pytest.fixture
def made(alice: Any, receiver: Any, http: Any) -> Any:
    body = {"url": receiver.url, "event_types": ["transcription.*"], "metadata": {"team": "품질"}}
    status, endpoint = http(alice, "POST", ENDPOINTS, body)
    assert status == 201
    return endpoint


@pytest.fixture
def delivered(made: Any, publish: Any, alice: Any, http: Any) -> Any:
    publish()
    dispatch_events()
    deliver_due()
    [row] = http(alice, "GET", "/v1/deliveries")[1]["data"]
    return row


def without(person: Any, *scopes: str) -> Any:
    return dataclasses.replace(person.caller, scopes=person.caller.scopes - set(scopes))


def test_an_endpoint_is_made_with_a_secret_that_can_be_read_again(
    alice: Any, bob: Any, made: Any, receiver: Any, http: Any
) -> None:
    assert made["id"].startswith("whe_")
    assert made["secret"].startswith("whsec_")
    assert (made["url"], made["enabled"], made["metadata"]) == (receiver.url, True, {"team": "품질"})
    assert http(bob, "GET", f"{ENDPOINTS}/{made['id']}") == (200, made)
    _, page = http(alice, "GET", ENDPOINTS)
    assert [row["id"] for row in page["data"]] == [made["id"]]
    assert "secret" not in page["data"][0]


def test_an_endpoint_can_be_changed_and_deleted(alice: Any, made: Any, receivers: Any, http: Any, rows: Any) -> None:
    path, other = f"{ENDPOINTS}/{made['id']}", receivers()
    change = {"url": other.url, "event_types": ["*", "*"], "enabled": False, "description": "new", "metadata": {}}
    status, changed = http(alice, "PATCH", path, change)
    assert status == 200
    assert {key: changed[key] for key in change} == change | {"event_types": ["*"]}
    assert (changed["disabled_reason"], changed["secret"]) == ("by_tenant", made["secret"])
    assert http(alice, "PATCH", path, {"enabled": True})[1]["disabled_reason"] is None
    assert http(alice, "DELETE", path) == (200, {"object": "webhook_endpoint", "id": made["id"], "deleted": True})
    assert http(alice, "GET", path)[0] == 404
    assert http(alice, "DELETE", path)[0] == 404
    assert http(alice, "GET", ENDPOINTS)[1]["data"] == []
    subject = str(ids.parse(ids.WEBHOOK_ENDPOINT, made["id"]))
    entries = rows("SELECT action, actor FROM audit_entry WHERE subject = %s ORDER BY id", [subject])
    assert [entry["action"].removeprefix("webhook_endpoint.") for entry in entries] == [
        "created", "updated", "updated", "deleted",
    ]  # fmt: skip
    assert {entry["actor"] for entry in entries} == {str(alice.caller.key_id)}
    with tenant_context(alice.tenant), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM webhook_target")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::ffff:7f00:1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost/",
        "https://user:pw@example.com/",
        "https://example.com:22/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "data:text/plain,x",
        "//example.com",
        "https://",
        "x",
        "https://exa mple.com/",
        "https://example.com/\r\nhost: evil",
    ],
)
def test_a_url_that_leads_inside_is_refused_when_saved(alice: Any, made: Any, http: Any, url: str, rows: Any) -> None:
    for method, path, more in (("POST", ENDPOINTS, {"event_types": ["*"]}), ("PATCH", f"{ENDPOINTS}/{made['id']}", {})):
        status, problem = http(alice, method, path, {"url": url} | more)
        assert (status, problem["code"]) == (422, "url_blocked")
        assert problem["errors"][0]["field"] == "url"
    assert len(rows("SELECT * FROM webhook_endpoint")) == 1


def test_unknown_event_types_are_refused_with_the_known_ones(alice: Any, receiver: Any, http: Any) -> None:
    for wrong in ("transcript.*", "transcription", "transcription.", "*.*", "", "webhook_endpoint.test", "x" * 5000):
        status, problem = http(alice, "POST", ENDPOINTS, {"url": receiver.url, "event_types": ["*", wrong]})
        assert status == 422
        [error] = problem["errors"]
        assert error["field"] == "event_types"
        assert all(name in error["detail"] for name in EVENT_TYPES)
        assert len(error["detail"]) < 2000


@pytest.mark.parametrize(
    "wrong",
    [
        {"tenant_id": "x"},
        {"livemode": False},
        {"secret": "whsec_mine"},
        {"event_types": []},
        {"event_types": "*"},
        {"enabled": 1},
        {"description": "a\x00b"},
        {"description": "x" * 501},
        {"metadata": {"a": "b\x00"}},
        {"metadata": {"\x00": "b"}},
        {"metadata": {"a": 1}},
        {"metadata": {str(number): "" for number in range(51)}},
        {"url": "https://example.com/" + "x" * 2048},
    ],
)
def test_unknown_fields_and_wrong_values_are_refused(alice: Any, made: Any, http: Any, wrong: Any) -> None:
    assert http(alice, "PATCH", f"{ENDPOINTS}/{made['id']}", wrong)[0] == 422


def test_a_tenant_has_twenty_endpoints_per_mode(alice: Any, receiver: Any, http: Any) -> None:
    body = {"url": receiver.url, "event_types": ["*"]}
    assert {http(alice, "POST", ENDPOINTS, body)[0] for _ in range(20)} == {201}
    status, problem = http(alice, "POST", ENDPOINTS, body)
    assert (status, problem["code"]) == (422, "too_many_endpoints")
    test_mode = dataclasses.replace(alice.caller, livemode=False)
    assert http(test_mode, "POST", ENDPOINTS, body)[0] == 201


def test_endpoints_made_at_once_do_not_pass_the_limit(alice: Any, receiver: Any, rows: Any) -> None:
    for _ in range(18):
        create_endpoint(alice.caller, url=receiver.url, event_types=["*"])
    ready, refused = threading.Barrier(6), []

    def make() -> None:
        ready.wait(10)
        try:
            create_endpoint(alice.caller, url=receiver.url, event_types=["*"])
        except TooManyEndpoints as error:
            refused.append(error)
        connections.close_all()

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(rows("SELECT * FROM webhook_endpoint")), len(refused)) == (20, 4)


def test_lists_come_in_pages_newest_first_in_a_fixed_number_of_queries(
    alice: Any, receiver: Any, http: Any, publish: Any
) -> None:
    body = {"url": receiver.url, "event_types": ["*"]}
    made = [http(alice, "POST", ENDPOINTS, body)[1]["id"] for _ in range(5)]
    for number in range(3):
        publish(number=number)
    dispatch_events()
    for path, count, queries in ((ENDPOINTS, 5, 2), ("/v1/events", 3, 1), ("/v1/deliveries", 15, 1)):
        with CaptureQueriesContext(connection) as seen:
            _, whole = http(alice, "GET", f"{path}?limit=100")
        assert len(seen) == queries
        pages, cursor = [], ""
        while cursor is not None:
            _, page = http(alice, "GET", f"{path}?limit=2{cursor and '&cursor='}{cursor}")
            pages += page["data"]
            cursor = page["next_cursor"]
        assert pages == whole["data"]
        assert len(pages) == count
    assert [row["id"] for row in http(alice, "GET", ENDPOINTS)[1]["data"]] == made[::-1]
    assert [row["data"]["number"] for row in http(alice, "GET", "/v1/events")[1]["data"]] == [2, 1, 0]


def test_the_delivery_log_can_be_narrowed(alice: Any, delivered: Any, made: Any, http: Any) -> None:
    def found(query: str) -> list[str]:
        status, page = http(alice, "GET", f"/v1/deliveries?{query}")
        assert status == 200
        return [row["id"] for row in page["data"]]

    stranger = "0" * 26
    assert found(f"endpoint_id={made['id']}&event_id={delivered['event_id']}&state=delivered") == [delivered["id"]]
    assert found("state=sending") == found(f"endpoint_id=whe_{stranger}") == found(f"event_id=evt_{stranger}") == []
    assert http(alice, "GET", "/v1/deliveries?state=leased")[0] == 422


def test_a_delivery_shows_its_attempts(alice: Any, delivered: Any, http: Any) -> None:
    status, one = http(alice, "GET", f"/v1/deliveries/{delivered['id']}")
    assert (status, one["state"], one["attempt_count"]) == (200, "delivered", 1)
    [attempt] = one["attempts"]
    assert (attempt["number"], attempt["status"], attempt["error"], attempt["manual"]) == (1, 200, None, False)
    assert attempt["latency_ms"] >= 0


def test_a_resend_answers_what_it_did(alice: Any, delivered: Any, receiver: Any, http: Any) -> None:
    status, again = http(alice, "POST", f"/v1/deliveries/{delivered['id']}/resend")
    assert (status, again["state"]) == (202, "pending")
    deliver_due()
    assert len({got.id for got in receiver.got}) == 1
    assert len(receiver.got) == 2


def test_a_deleted_endpoint_cannot_be_resent_to(alice: Any, delivered: Any, made: Any, http: Any) -> None:
    http(alice, "DELETE", f"{ENDPOINTS}/{made['id']}")
    status, problem = http(alice, "POST", f"/v1/deliveries/{delivered['id']}/resend")
    assert (status, problem["code"]) == (409, "endpoint_closed")


def test_a_disabled_endpoint_cannot_be_tested(alice: Any, made: Any, http: Any) -> None:
    http(alice, "PATCH", f"{ENDPOINTS}/{made['id']}", {"enabled": False})
    assert http(alice, "POST", f"{ENDPOINTS}/{made['id']}/test")[0] == 409


@pytest.mark.parametrize("hours", [-1, 169, 1.5, "24", None])
def test_an_overlap_is_0_to_168_whole_hours(alice: Any, made: Any, http: Any, hours: Any) -> None:
    assert http(alice, "POST", f"{ENDPOINTS}/{made['id']}/rotate-secret", {"overlap_hours": hours})[0] == 422


def every_route(made: Any, delivered: Any) -> list[tuple[str, str, Any]]:
    endpoint = f"{ENDPOINTS}/{made['id']}"
    return [
        ("GET", endpoint, None),
        ("PATCH", endpoint, {"enabled": False}),
        ("DELETE", endpoint, None),
        ("POST", f"{endpoint}/rotate-secret", {"overlap_hours": 0}),
        ("POST", f"{endpoint}/test", None),
        ("GET", f"/v1/events/{delivered['event_id']}", None),
        ("GET", f"/v1/deliveries/{delivered['id']}", None),
        ("POST", f"/v1/deliveries/{delivered['id']}/resend", None),
    ]


def state(rows: Any) -> str:
    tables = ("webhook_endpoint", "delivery", "delivery_attempt", "outbox_event", "audit_entry")
    return "".join(str(rows(f"SELECT * FROM {table} ORDER BY 1, 2")) for table in tables)


@pytest.mark.parametrize("who", ["charlie", "alice in test mode"])
def test_charlie_and_the_other_mode_get_what_a_made_up_id_gets(
    alice: Any, charlie: Any, made: Any, delivered: Any, http: Any, rows: Any, who: str
) -> None:
    stranger = charlie if who == "charlie" else dataclasses.replace(alice.caller, livemode=False)
    before = state(rows)
    for method, path, body in every_route(made, delivered):
        prefix = next(part for part in path.split("/") if part[3:4] == "_")
        nothing = path.replace(prefix, f"{prefix[:4]}{'0' * 26}")
        garbage = path.replace(prefix, "nonsense")
        answer = http(stranger, method, path, body)
        assert answer[0] == 404, (method, path)
        assert answer == http(stranger, method, nothing, body) == http(stranger, method, garbage, body)
        assert answer == http(alice, method, nothing, body)
    assert state(rows) == before
    for path in (ENDPOINTS, "/v1/events", "/v1/events?after=0", "/v1/deliveries",
                 f"/v1/deliveries?endpoint_id={made['id']}"):  # fmt: skip
        assert http(stranger, "GET", path)[1]["data"] == []
    assert http(alice, "GET", "/v1/events")[1]["data"] != []


def test_a_foreign_cursor_opens_nothing(alice: Any, charlie: Any, delivered: Any, publish: Any, http: Any) -> None:
    publish(by=charlie, number=7)
    publish(number=8)
    dispatch_events()
    _, page = http(alice, "GET", "/v1/events?limit=1")
    _, stolen = http(charlie, "GET", f"/v1/events?cursor={page['next_cursor']}")
    assert [row["data"]["number"] for row in stolen["data"]] in ([], [7])


def test_each_route_asks_for_its_scope(alice: Any, made: Any, delivered: Any, http: Any) -> None:
    poor = without(alice, "webhooks:manage")
    poorest = without(alice, "webhooks:manage", "transcriptions:read")
    lists = [("GET", ENDPOINTS, None), ("GET", "/v1/deliveries", None), ("GET", "/v1/events", None),
             ("POST", ENDPOINTS, {"url": "https://example.com/", "event_types": ["*"]})]  # fmt: skip
    for method, path, body in [*every_route(made, delivered), *lists]:
        readable = path.startswith("/v1/events")
        assert http(poor, method, path, body)[0] == (200 if readable else 403), (method, path)
        assert http(poorest, method, path, body)[0] == 403
    assert http(without(alice, "transcriptions:read"), "GET", "/v1/events")[0] == 200
    assert http(None, "GET", ENDPOINTS)[0] == 401


def test_the_app_role_sees_its_own_rows_only(alice: Any, charlie: Any, delivered: Any) -> None:
    counts = {}
    for name, person in (("alice", alice), ("charlie", charlie)):
        with tenant_context(person.tenant), connection.cursor() as cursor:
            for table in ("webhook_endpoint", "delivery", "delivery_attempt", "outbox_event"):
                cursor.execute(f"SELECT count(*) FROM public.{table}")
                counts[name, table] = cursor.fetchone()[0]
    assert set(counts.values()) == {0, 1}
    assert {key for key, count in counts.items() if count} == {("alice", table) for _, table in counts}


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO delivery SELECT * FROM delivery",
        "DELETE FROM delivery",
        "UPDATE delivery_attempt SET status = 200",
        "DELETE FROM webhook_endpoint",
        "SELECT * FROM delivery_20990101",
    ],
)
def test_the_app_role_may_not_write_the_log(alice: Any, delivered: Any, statement: str) -> None:
    with (
        tenant_context(alice.tenant),
        connection.cursor() as cursor,
        pytest.raises(ProgrammingError, match=r"permission denied|does not exist"),
    ):
        cursor.execute(statement)


def test_the_system_role_sees_no_target(alice: Any, made: Any) -> None:
    with connections["system"].cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied"):
        cursor.execute(f"SELECT * FROM {alice.tenant.schema_name}.webhook_target")

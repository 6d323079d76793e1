"""What a tenant sets of an endpoint: schedule, rate, concurrency, headers, signatures; read back, changed, and sent."""

from __future__ import annotations

import dataclasses
import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection
from standardwebhooks import Webhook

from apikit import ids
from tenants.facade import tenant_context
from tests.webhooks.steps import claim
from webhooks.facade import deliver_due, dispatch_events
from webhooks.parcels import DestinationBook

ENDPOINTS = "/v1/webhook-endpoints"
SETTINGS = {
    "schedule": [0, 60, 3600],
    "rate_per_s": 2.5,
    "max_in_flight": 16,
    "signature": "v1+v1a",
    "include": ["text"],
    "headers": {"Authorization": "Bearer header-canary", "X-Team": "qa"},
}


def make(http: Any, person: Any, receiver: Any, **settings: Any) -> Any:
    body = {"url": receiver.url, "event_types": ["*"], **settings}
    status, made = http(person, "POST", ENDPOINTS, body)
    assert status == 201, made
    return made


def deliver(publish: Any, receiver: Any) -> Any:
    publish()
    dispatch_events()
    deliver_due()
    return receiver.got[-1]


def verify_v1a(got: Any, public_key: str) -> None:
    key = Ed25519PublicKey.from_public_bytes(b64decode(public_key.removeprefix("whpk_")))
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    [signature] = [part for part in got.headers["webhook-signature"].split() if part.startswith("v1a,")][:1]
    key.verify(b64decode(signature.removeprefix("v1a,")), signed)


def test_settings_are_shown_as_they_were_made_but_for_header_values(alice: Any, receiver: Any, http: Any) -> None:
    made = make(http, alice, receiver, **SETTINGS)
    assert {name: made[name] for name in SETTINGS} == SETTINGS
    read = http(alice, "GET", f"{ENDPOINTS}/{made['id']}")[1]
    masked = {"Authorization": "***", "X-Team": "***"}
    assert read == made | {"headers": masked}
    [listed] = http(alice, "GET", ENDPOINTS)[1]["data"]
    assert listed == {name: value for name, value in read.items() if name != "secret"}


def test_an_endpoint_without_settings_has_the_specifications_own(alice: Any, receiver: Any, http: Any) -> None:
    made = make(http, alice, receiver)
    shown = {name: made[name] for name in (*SETTINGS, "public_key", "kind")}
    assert shown == {
        "schedule": None, "rate_per_s": None, "max_in_flight": 4, "signature": "v1", "include": [], "headers": {},
        "public_key": None, "kind": "endpoint",
    }  # fmt: skip


def test_null_takes_a_setting_back_and_leaving_it_out_does_not(alice: Any, receiver: Any, http: Any) -> None:
    made = make(http, alice, receiver, **SETTINGS)
    path = f"{ENDPOINTS}/{made['id']}"
    kept = http(alice, "PATCH", path, {"description": "new"})[1]
    assert (kept["schedule"], kept["rate_per_s"], kept["include"]) == ([0, 60, 3600], 2.5, ["text"])
    cleared = http(alice, "PATCH", path, {"schedule": None, "rate_per_s": None, "include": [], "headers": {}})[1]
    assert [cleared[name] for name in ("schedule", "rate_per_s", "include", "headers")] == [None, None, [], {}]
    assert http(alice, "PATCH", path, {"schedule": [5], "max_in_flight": 1})[1]["schedule"] == [5]


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule": []}, {"schedule": [-1]}, {"schedule": [86_401]}, {"schedule": [0] * 21}, {"schedule": [1.5]},
        {"schedule": ["5"]}, {"schedule": 5}, {"rate_per_s": 0}, {"rate_per_s": -1}, {"rate_per_s": 1001},
        {"rate_per_s": "1"}, {"max_in_flight": 0}, {"max_in_flight": 17}, {"signature": "v1a"}, {"signature": "v2"},
        {"include": ["audio"]}, {"include": ["text", "text"]}, {"include": "text"}, {"public_key": "whpk_mine"},
        {"kind": "job"}, {"headers": {"X-A": 1}}, {"headers": ["X-A: 1"]},
    ],
)  # fmt: skip
def test_values_out_of_their_range_are_refused(alice: Any, receiver: Any, http: Any, rows: Any, wrong: Any) -> None:
    made = make(http, alice, receiver)
    assert http(alice, "POST", ENDPOINTS, {"url": receiver.url, "event_types": ["*"], **wrong})[0] == 422
    assert http(alice, "PATCH", f"{ENDPOINTS}/{made['id']}", wrong)[0] == 422
    assert len(rows("SELECT * FROM webhook_endpoint")) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"}, {"hOsT": "evil.example"}, {"Content-Type": "text/plain"}, {"content-length": "0"},
        {"Content-Encoding": "gzip"}, {"webhook-id": "evt_1"}, {"Webhook-Signature": "v1,x"}, {"webhook-x": "1"},
        {"User-Agent": "me"}, {"Connection": "close"}, {"Keep-Alive": "1"}, {"TE": "trailers"}, {"Trailer": "X"},
        {"Transfer-Encoding": "chunked"}, {"Upgrade": "h2c"}, {"Proxy-Authorization": "x"}, {"Expect": "100-continue"},
        {"Accept-Encoding": "gzip"}, {"X-Forwarded-For": "1.2.3.4"}, {"traceparent": "00"},
        {"X A": "1"}, {"X-A\r\nX-B": "1"}, {"": "1"}, {"X:": "1"}, {"헤더": "1"}, {"X" * 65: "1"},
        {"X-A": "1\r\nX-B: 2"}, {"X-A": "a\nb"}, {"X-A": "a\x00b"}, {"X-A": "값"}, {"X-A": ""}, {"X-A": " a"},
        {"X-A": "a "}, {"X-A": "a\tb"}, {"X-A": "x" * 1001}, {"X-A": "***"}, {"X-A": "1", "x-a": "2"},
        {f"X-{number}": "1" for number in range(21)}, {f"X-{number}": "x" * 900 for number in range(5)},
    ],
)  # fmt: skip
def test_a_header_that_could_do_harm_is_refused(
    alice: Any, receiver: Any, http: Any, rows: Any, headers: dict[str, str]
) -> None:
    made = make(http, alice, receiver, headers={"X-Fine": "1"})
    status, problem = http(alice, "POST", ENDPOINTS, {"url": receiver.url, "event_types": ["*"], "headers": headers})
    assert (status, problem["code"]) == (422, "invalid_request")
    assert problem["errors"][0]["field"].startswith("headers")
    assert http(alice, "PATCH", f"{ENDPOINTS}/{made['id']}", {"headers": headers})[0] == 422
    assert http(alice, "GET", f"{ENDPOINTS}/{made['id']}")[1]["headers"] == {"X-Fine": "***"}
    assert len(rows("SELECT * FROM webhook_endpoint")) == 1


def test_custom_headers_are_sent_and_changes_count_at_once(alice: Any, receiver: Any, http: Any, publish: Any) -> None:
    made = make(http, alice, receiver, headers=SETTINGS["headers"])
    got = deliver(publish, receiver)
    assert (got.headers["authorization"], got.headers["x-team"]) == ("Bearer header-canary", "qa")
    assert got.headers["content-type"] == "application/json"
    Webhook(made["secret"]).verify(got.body, got.headers)
    http(alice, "PATCH", f"{ENDPOINTS}/{made['id']}", {"headers": {"X-Team": "ops"}})
    got = deliver(publish, receiver)
    assert (got.headers.get("authorization"), got.headers["x-team"]) == (None, "ops")


def test_header_values_stand_nowhere_in_the_clear(
    alice: Any, receiver: Any, http: Any, publish: Any, rows: Any
) -> None:
    make(http, alice, receiver, headers=SETTINGS["headers"], signature="v1+v1a")
    deliver(publish, receiver)
    [delivery] = http(alice, "GET", "/v1/deliveries")[1]["data"]
    shown = json.dumps(http(alice, "GET", f"/v1/deliveries/{delivery['id']}")[1])
    tables = ("webhook_endpoint", "delivery", "delivery_attempt", "outbox_event", "audit_entry")
    stored = "".join(str(rows(f"SELECT * FROM {table}")) for table in tables)
    with tenant_context(alice.tenant), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM webhook_target")
        stored += str([[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor.fetchall()])
    assert "header-canary" not in stored + shown
    assert "whsk_" not in stored + shown


def test_both_signatures_are_sent_once_asked_for(alice: Any, receiver: Any, http: Any, publish: Any) -> None:
    made = make(http, alice, receiver)
    assert "v1a," not in deliver(publish, receiver).headers["webhook-signature"]
    changed = http(alice, "PATCH", f"{ENDPOINTS}/{made['id']}", {"signature": "v1+v1a"})[1]
    assert changed["public_key"].startswith("whpk_")
    got = deliver(publish, receiver)
    Webhook(made["secret"]).verify(got.body, got.headers)
    verify_v1a(got, changed["public_key"])
    again = http(alice, "PATCH", f"{ENDPOINTS}/{made['id']}", {"signature": "v1+v1a"})[1]
    assert again["public_key"] == changed["public_key"]
    http(alice, "PATCH", f"{ENDPOINTS}/{made['id']}", {"signature": "v1"})
    assert "v1a," not in deliver(publish, receiver).headers["webhook-signature"]


def test_a_rotation_makes_new_keys_and_both_sign_for_the_overlap(
    alice: Any, receiver: Any, http: Any, publish: Any
) -> None:
    made = make(http, alice, receiver, signature="v1+v1a")
    path = f"{ENDPOINTS}/{made['id']}/rotate-secret"
    rotated = http(alice, "POST", path, {"overlap_hours": 1})[1]
    assert rotated["public_key"] != made["public_key"]
    got = deliver(publish, receiver)
    signatures = got.headers["webhook-signature"].split()
    assert [part.partition(",")[0] for part in signatures] == ["v1", "v1", "v1a", "v1a"]
    verify_v1a(got, rotated["public_key"])
    got.headers["webhook-signature"] = signatures[3]
    verify_v1a(got, made["public_key"])
    http(alice, "POST", path, {"overlap_hours": 0})
    assert len(deliver(publish, receiver).headers["webhook-signature"].split()) == 2


def test_the_first_step_of_a_schedule_delays_the_first_attempt(
    alice: Any, receiver: Any, http: Any, publish: Any, rows: Any
) -> None:
    make(http, alice, receiver, schedule=[300, 60])
    publish()
    dispatch_events()
    assert deliver_due() == 0
    [row] = rows("SELECT * FROM delivery")
    wait = row["next_attempt_at"] - datetime.now(UTC)
    assert timedelta(seconds=240) < wait <= timedelta(seconds=300)
    assert row["attempts_left"] == 2


def test_a_short_schedule_ends_after_its_last_step(
    alice: Any, receiver: Any, http: Any, publish: Any, rows: Any, rewind: Any
) -> None:
    receiver.reply.status = 500
    make(http, alice, receiver, schedule=[0, 1, 2])
    deliver(publish, receiver)
    for _ in range(5):
        rewind()
        deliver_due()
    [row] = rows("SELECT * FROM delivery")
    assert (row["state"], len(receiver.got)) == ("failed", 3)


@pytest.mark.parametrize(
    "change",
    [{"headers": {"X-A": "2"}}, {"headers": {}}, {"signature": "v1"}, {"include": ["text"]}, {"overlap_hours": 1}],
)
def test_a_sender_that_runs_on_notices_every_change(
    alice: Any, receiver: Any, http: Any, publish: Any, change: dict[str, Any]
) -> None:
    made = make(http, alice, receiver, headers={"X-A": "1"}, signature="v1+v1a")
    book, path = DestinationBook(), f"{ENDPOINTS}/{made['id']}"

    def known() -> Any:
        publish()
        dispatch_events()
        [destination] = book.find(claim()).values()
        return destination

    before = known()
    assert known() == before
    rotates = "overlap_hours" in change
    assert http(alice, "POST" if rotates else "PATCH", f"{path}/rotate-secret" if rotates else path, change)[0] == 200
    assert known() != before


def test_changes_of_settings_are_audited_without_secrets(alice: Any, receiver: Any, http: Any, rows: Any) -> None:
    made = make(http, alice, receiver)
    http(alice, "PATCH", f"{ENDPOINTS}/{made['id']}", {"headers": SETTINGS["headers"], "schedule": [0, 9]})
    subject = str(ids.parse(ids.WEBHOOK_ENDPOINT, made["id"]))
    *_, entry = rows("SELECT before, after FROM audit_entry WHERE subject = %s ORDER BY id", [subject])
    before, after = json.loads(entry["before"]), json.loads(entry["after"])
    assert (before["schedule"], after["schedule"], after["headers_changed"]) == (None, [0, 9], True)
    assert "header-canary" not in str(entry)


def test_a_foreign_endpoint_cannot_be_tuned(alice: Any, charlie: Any, receiver: Any, http: Any) -> None:
    made = make(http, alice, receiver)
    path = f"{ENDPOINTS}/{made['id']}"
    for stranger in (charlie, dataclasses.replace(alice.caller, livemode=False)):
        for change in ({"schedule": [9]}, {"headers": {"X-A": "1"}}, {"signature": "v1+v1a"}):
            assert http(stranger, "PATCH", path, change)[0] == 404
    assert http(alice, "GET", path)[1] == made

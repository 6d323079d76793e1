"""From a due delivery to its record, with real receivers on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from standardwebhooks import Webhook

from tests.webhooks.steps import ATTEMPTS, ONE, send, shown
from webhooks import sending
from webhooks.services import create_endpoint


def test_an_event_arrives_signed_and_is_noted(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any, rows: Any
) -> None:
    event_id = publish()
    assert send() == 1
    [got] = receiver.got
    body = Webhook(endpoint.secret).verify(got.body, got.headers)
    assert body["type"] == "transcription.completed"
    assert got.body == bytes(rows("SELECT body FROM outbox_event")[0]["body"])
    event = http(alice, "GET", f"/v1/events/{got.id}")[1]
    assert event["data"] == body["data"]
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"].startswith("Parlance/")
    [row], [attempt] = rows(ONE), rows(ATTEMPTS)
    assert (row["event_id"], row["state"], row["attempt"], row["last_status"]) == (event_id, "delivered", 1, 200)
    assert (attempt["status"], attempt["error"], attempt["response"]) == (200, None, None)
    assert attempt["finished_at"] >= attempt["started_at"]


def test_both_secrets_verify_while_a_rotation_lasts(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any
) -> None:
    _, rotated = http(alice, "POST", f"/v1/webhook-endpoints/{shown(endpoint)}/rotate-secret", {"overlap_hours": 1})
    publish()
    send()
    [got] = receiver.got
    Webhook(rotated["secret"]).verify(got.body, got.headers)
    Webhook(endpoint.secret).verify(got.body, got.headers)
    assert rotated["secret"] != endpoint.secret


def test_a_running_sender_follows_a_change_of_url_and_secret_at_once(
    alice: Any, endpoint: Any, receivers: Any, receiver: Any, publish: Any, http: Any, sender: Any
) -> None:
    other, path = receivers(), f"/v1/webhook-endpoints/{shown(endpoint)}"
    wake = sender()
    publish()
    wake.set()
    receiver.wait()
    http(alice, "PATCH", path, {"url": other.url})
    secret = http(alice, "POST", f"{path}/rotate-secret", {"overlap_hours": 0})[1]["secret"]
    publish()
    wake.set()
    other.wait()
    Webhook(secret).verify(other.got[0].body, other.got[0].headers)
    assert len(receiver.got) == 1


def test_an_old_secret_stops_signing_when_its_overlap_is_over(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any
) -> None:
    path = f"/v1/webhook-endpoints/{shown(endpoint)}/rotate-secret"
    assert http(alice, "POST", path, {"overlap_hours": 1})[0] == 200
    assert http(alice, "POST", path, {"overlap_hours": 1})[0] == 409
    assert http(alice, "POST", path, {"overlap_hours": 0})[0] == 200
    publish()
    send()
    assert len(receiver.got[0].headers["webhook-signature"].split()) == 1


def test_a_test_event_goes_to_its_own_endpoint_alone(alice: Any, endpoint: Any, receivers: Any, http: Any) -> None:
    other = receivers()
    named = create_endpoint(alice.caller, url=other.url, event_types=["speech.failed"])
    status, sent = http(alice, "POST", f"/v1/webhook-endpoints/{shown(named)}/test")
    assert status == 202
    assert send() == 1
    [got] = other.got
    assert got.id == sent["id"]
    assert json.loads(got.body)["type"] == "webhook_endpoint.test"


def test_the_loop_sends_what_is_published_and_stops_when_told(
    endpoint: Any, receiver: Any, publish: Callable[..., Any], sender: Any, rows: Any
) -> None:
    wake = sender()
    publish()
    wake.set()
    receiver.wait()
    publish()
    receiver.wait()  # nobody woke it: half a second later it looks by itself


def test_the_loop_outlives_a_broken_database_connection(
    endpoint: Any, receiver: Any, publish: Any, sender: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "RETRY_S", 0.05)
    wake = sender()
    publish()
    wake.set()
    receiver.wait()
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT current_database()")
    _break_connections_of_other_threads()
    publish()
    wake.set()
    receiver.wait()


def _break_connections_of_other_threads() -> None:
    with connections["system"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND usename = current_user AND pid <> pg_backend_pid()"
        )

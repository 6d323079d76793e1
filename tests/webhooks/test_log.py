"""What the log keeps: every attempt; exchanges of failures and of an endpoint's last successes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from tests.webhooks.steps import ATTEMPTS, ONE, claim, send
from webhooks import results
from webhooks.contracts import Answer, Outcome, Tuning
from webhooks.facade import deliver_due, dispatch_events
from webhooks.services import create_endpoint, resend


def detail(http: Any, person: Any, number: int = 0) -> Any:
    listed = http(person, "GET", "/v1/deliveries")[1]["data"]
    return http(person, "GET", f"/v1/deliveries/{listed[number]['id']}")[1]


def test_an_attempt_shows_both_sides_without_secrets(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any
) -> None:
    receiver.reply.status = 503
    receiver.reply.headers = {"retry-after": "1", "server": "nginx", "set-cookie": "session=canary"}
    receiver.reply.body = b"upstream down"
    publish()
    send()
    [attempt] = detail(http, alice)["attempts"]
    assert attempt["request_headers"]["webhook-id"] == receiver.got[0].id
    assert attempt["request_headers"]["webhook-timestamp"] == receiver.got[0].headers["webhook-timestamp"]
    assert attempt["request_headers"]["webhook-signature"] == "…"
    assert attempt["response_headers"] == {"content-length": "13", "retry-after": "1", "server": "nginx"} | {
        name: attempt["response_headers"][name] for name in ("date",)
    }
    assert (attempt["status"], attempt["error"], attempt["response"]) == (503, "http_status", "upstream down")
    assert attempt["latency_ms"] >= 0


def test_a_success_keeps_its_answer_too(alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any) -> None:
    receiver.reply.body = b"thanks"
    publish()
    send()
    [attempt] = detail(http, alice)["attempts"]
    assert (attempt["status"], attempt["response"]) == (200, "thanks")


def test_what_was_sent_in_confidence_is_hidden_where_a_receiver_echoes_it(
    alice: Any, receiver: Any, publish: Any, http: Any
) -> None:
    secret = "Bearer canary-of-alice"
    create_endpoint(alice.caller, url=receiver.url, event_types=["*"], tuning=Tuning(headers={"authorization": secret}))
    receiver.reply.status, receiver.reply.body = 401, f"You sent {secret}; go away".encode()
    receiver.reply.headers = {"www-authenticate": f'Bearer error="{secret}"'}
    publish()
    send()
    [attempt] = detail(http, alice)["attempts"]
    assert attempt["response"] == "You sent …; go away"
    assert attempt["response_headers"]["www-authenticate"] == 'Bearer error="…"'
    assert receiver.got[0].headers["authorization"] == secret


def test_of_successes_only_the_last_ones_keep_their_answers_and_failures_all(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any, rows: Any, rewind: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(results, "KEPT_SUCCESSES", 3)
    receiver.reply.status, receiver.reply.body = 500, b"failed"
    publish()
    send()
    receiver.reply.status = 200
    for number in range(7):
        receiver.reply.body = str(number).encode()
        publish(number=number)
        send()
    assert len(rows("SELECT * FROM kept_answer")) == 3
    answers = [detail(http, alice, number)["attempts"][-1]["response"] for number in range(8)]
    assert answers == ["6", "5", "4", None, None, None, None, "failed"]
    assert len(rows(ATTEMPTS)) == 8


def test_a_batch_larger_than_the_ring_keeps_its_newest(
    endpoint: Any, publish: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "KEPT_SUCCESSES", 2)
    with connections["system"].cursor() as cursor:
        cursor.execute("UPDATE webhook_endpoint SET max_in_flight = 16")
    for number in range(9):
        publish(number=number)
    dispatch_events()
    claims = claim()
    results.record([Outcome(each, Answer(status=200, error=None, sent={"webhook-id": "x"})) for each in claims])
    kept = {row["delivery_id"] for row in rows("SELECT delivery_id FROM kept_answer")}
    assert kept == {each.id for each in claims[-2:]}
    assert rows("SELECT successes FROM webhook_endpoint") == [{"successes": 9}]


def test_each_endpoint_has_a_ring_of_its_own(
    alice: Any, charlie: Any, endpoint: Any, receivers: Any, publish: Any, rows: Any
) -> None:
    from webhooks.services import create_endpoint

    create_endpoint(charlie.caller, url=receivers().url, event_types=["*"])
    publish()
    publish(by=charlie)
    send()
    assert len(rows("SELECT DISTINCT endpoint_id, tenant_id FROM kept_answer")) == 2


def test_exchanges_are_sealed_and_bounded(endpoint: Any, receiver: Any, publish: Any, rows: Any) -> None:
    receiver.reply.body, receiver.reply.headers = b"\xff" * 50_000, {"server": "canary" * 2000}
    publish()
    send()
    [kept] = rows("SELECT response FROM kept_answer")
    assert b"canary" not in bytes(kept["response"])
    assert len(bytes(kept["response"])) < 3000


def test_an_attempt_that_got_no_answer_has_none(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any
) -> None:
    receiver.close()
    publish()
    send()
    [attempt] = detail(http, alice)["attempts"]
    assert (attempt["error"], attempt["response"], attempt["response_headers"]) == ("connect_failed", None, None)
    assert attempt["request_headers"]["webhook-id"].startswith("evt_")


def test_resends_are_in_the_log_with_their_own_time(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any, rows: Any
) -> None:
    publish()
    send()
    resend(alice.caller, rows(ONE)[0]["id"])
    receiver.reply.body = b"second"
    deliver_due()
    first, second = detail(http, alice)["attempts"]
    assert (first["manual"], second["manual"]) == (False, True)
    assert (first["response"], second["response"]) == ("ok", "second")


def test_charlie_reads_none_of_it(alice: Any, charlie: Any, endpoint: Any, publish: Any, http: Any) -> None:
    publish()
    send()
    listed = http(alice, "GET", "/v1/deliveries")[1]["data"]
    assert http(charlie, "GET", f"/v1/deliveries/{listed[0]['id']}")[0] == 404
    from django.db import connection

    from tenants.facade import tenant_context

    with tenant_context(charlie.tenant), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kept_answer")
        assert cursor.fetchone()[0] == 0


def test_what_is_old_is_forgotten(alice: Any, endpoint: Any, publish: Any, rows: Any) -> None:
    from webhooks.facade import forget_old_log

    publish()
    send()
    forget_old_log(30)
    assert len(rows("SELECT * FROM kept_answer")) == 1
    with connections["system"].cursor() as cursor:
        cursor.execute("UPDATE kept_answer SET kept_at = now() - interval '31 days'")
    forget_old_log(30)
    assert rows("SELECT * FROM kept_answer") == []

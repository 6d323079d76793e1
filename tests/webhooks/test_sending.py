"""From a due delivery to its record, with real receivers on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from standardwebhooks import Webhook

from webhooks import claims, sending
from webhooks.contracts import Answer, Outcome
from webhooks.facade import deliver_due, dispatch_events, run_sender
from webhooks.results import record
from webhooks.services import EndpointChange, change_endpoint, create_endpoint, delete_endpoint, resend

ONE = "SELECT * FROM delivery"
ATTEMPTS = "SELECT * FROM delivery_attempt ORDER BY number"


def send() -> int:
    dispatch_events()
    return deliver_due()


def claim(slow: bool = False) -> Any:
    return claims.claim_due(free=10, lease_s=30, slow=slow, room_of_tenant=10, running={})


@pytest.fixture
def sender() -> Any:
    """Starts `run_sender` in a thread and stops it at the end."""
    stop, wake, threads = threading.Event(), threading.Event(), []

    def run() -> None:
        run_sender(stop, wake=wake)

    def start() -> threading.Event:
        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return wake

    yield start
    stop.set()
    wake.set()
    for thread in threads:
        thread.join(15)
        assert not thread.is_alive()


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


def test_a_failure_is_tried_again_by_the_schedule_with_the_same_id(
    endpoint: Any, receiver: Any, publish: Any, rows: Any, rewind: Any
) -> None:
    receiver.reply.status = 500
    publish()
    assert send() == 1
    [row] = rows("SELECT *, extract(epoch FROM next_attempt_at - now())::float AS wait_s FROM delivery")
    assert (row["state"], row["last_status"], row["last_error"]) == ("pending", 500, "http_status")
    assert 4 < row["wait_s"] < 6
    assert send() == 0
    rewind()
    receiver.reply.status = 200
    assert send() == 1
    assert receiver.got[0].id == receiver.got[1].id
    assert receiver.got[0].body == receiver.got[1].body
    assert [attempt["status"] for attempt in rows(ATTEMPTS)] == [500, 200]


def test_ten_failures_end_it(endpoint: Any, receiver: Any, publish: Any, rows: Any, rewind: Any) -> None:
    receiver.reply.status = 500
    publish()
    for _ in range(12):
        send()
        rewind()
    assert len(receiver.got) == 10
    assert [(row["state"], row["attempt"], row["next_attempt_at"]) for row in rows(ONE)] == [("failed", 10, None)]
    [health] = rows("SELECT * FROM webhook_endpoint")
    assert (health["consecutive_failures"], health["enabled"]) == (10, True)
    assert health["failing_since"] is not None


def test_a_success_ends_the_count_of_failures(
    endpoint: Any, receiver: Any, publish: Any, rows: Any, rewind: Any
) -> None:
    receiver.reply.status = 500
    publish()
    send()
    receiver.reply.status = 200
    rewind()
    send()
    [health] = rows("SELECT * FROM webhook_endpoint")
    assert (health["consecutive_failures"], health["failing_since"]) == (0, None)
    assert health["last_success_at"] is not None


def test_a_redirect_is_a_failure_and_is_not_followed(
    endpoint: Any, receivers: Any, receiver: Any, publish: Any, rows: Any
) -> None:
    other = receivers()
    receiver.reply.status, receiver.reply.headers = 302, {"location": other.url}
    publish()
    send()
    assert other.got == []
    assert [(row["state"], row["last_status"]) for row in rows(ONE)] == [("pending", 302)]


def test_retry_after_holds_back_this_and_later_deliveries(
    endpoint: Any, receiver: Any, publish: Any, rows: Any, rewind: Any
) -> None:
    receiver.reply.status, receiver.reply.headers = 429, {"retry-after": "600"}
    publish()
    send()
    [row] = rows("SELECT extract(epoch FROM next_attempt_at - now())::float AS wait_s FROM delivery")
    assert 590 < row["wait_s"] <= 600
    publish()
    assert send() == 0
    receiver.reply.status = 200
    rewind()
    assert send() == 2
    assert len(receiver.got) == 3


def test_gone_switches_the_endpoint_off_tells_it_and_cancels_the_rest(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any, rows: Any
) -> None:
    receiver.reply.status = 500
    publish(number=1)
    send()
    receiver.reply.status = 410
    publish(number=2)
    send()
    _, shown_now = http(alice, "GET", f"/v1/webhook-endpoints/{shown(endpoint)}")
    assert (shown_now["enabled"], shown_now["disabled_reason"]) == (False, "gone")
    deliver_due()
    assert sorted(row["state"] for row in rows(ONE)) == ["canceled", "failed"]
    assert len(receiver.got) == 2
    [event] = rows("SELECT * FROM outbox_event WHERE type = 'webhook_endpoint.disabled'")
    assert event["subject_id"] == endpoint.id
    assert b"hook" not in bytes(event["body"]).replace(b"webhook", b"")
    assert len(rows("SELECT * FROM audit_entry WHERE action = 'webhook_endpoint.disabled' AND subject = %s",
                    [str(endpoint.id)])) == 1  # fmt: skip


@pytest.mark.parametrize("how", ["disable", "delete"])
def test_a_closed_endpoint_gets_nothing_any_more(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, rows: Any, how: str
) -> None:
    publish()
    dispatch_events()
    if how == "delete":
        delete_endpoint(alice.caller, endpoint.id)
    else:
        change_endpoint(alice.caller, endpoint.id, change=EndpointChange(enabled=False))
    assert deliver_due() == 0
    assert receiver.got == []
    assert [(row["state"], row["last_error"]) for row in rows(ONE)] == [("canceled", "endpoint_disabled")]


def test_a_sender_killed_between_post_and_record_sends_again_with_the_same_id(
    endpoint: Any, receiver: Any, publish: Any, rows: Any, rewind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(_: Any) -> None:
        raise Killed

    publish()
    with monkeypatch.context() as patch:
        patch.setattr(sending, "record", die)
        with pytest.raises(Killed):
            send()
    assert rows(ONE)[0]["state"] == "leased"
    assert deliver_due() == 0
    rewind()
    assert deliver_due() == 1
    assert [row["state"] for row in rows(ONE)] == ["delivered"]
    assert receiver.got[0].id == receiver.got[1].id
    lost, made = rows(ATTEMPTS)
    assert (lost["finished_at"], made["status"]) == (None, 200)


def test_a_late_result_of_a_lost_lease_changes_nothing(endpoint: Any, publish: Any, rows: Any, rewind: Any) -> None:
    publish()
    dispatch_events()
    [zombie] = claim()
    rewind()
    [taken_over] = claim()
    assert taken_over.attempts_left == zombie.attempts_left  # a lost attempt does not use up the schedule
    assert record([Outcome(zombie, Answer(status=410, error=None))]) == 0
    [row] = rows(ONE)
    assert (row["state"], row["lease_token"], row["attempt"]) == ("leased", taken_over.token, 2)
    assert rows("SELECT enabled FROM webhook_endpoint") == [{"enabled": True}]
    assert record([Outcome(taken_over, Answer(status=200, error=None))]) == 1
    assert record([Outcome(taken_over, Answer(status=500, error=None))]) == 0
    assert rows(ONE)[0]["state"] == "delivered"


def test_a_delivery_that_kills_its_senders_is_given_up(
    endpoint: Any, receiver: Any, publish: Any, rows: Any, rewind: Any
) -> None:
    publish()
    dispatch_events()
    for _ in range(6):
        assert len(claim()) == 1
        rewind()
    receiver.reply.status = 500
    deliver_due()
    assert receiver.got == []
    assert rows(ONE)[0]["last_error"] == "attempt_lost"


def test_two_claimers_never_take_the_same_delivery(endpoint: Any, publish: Any, rows: Any) -> None:
    for number in range(40):
        publish(number=number)
    dispatch_events()
    with connections["system"].cursor() as cursor:
        cursor.execute("UPDATE webhook_endpoint SET max_in_flight = 100")
    taken: list[Any] = []

    def run() -> None:
        for _ in range(6):
            taken.extend(claims.claim_due(free=5, lease_s=30, slow=False, room_of_tenant=5, running={}))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.id for one in taken}) == len(taken) == len(rows(ATTEMPTS))
    while more := claim():
        taken += more
    assert len({one.id for one in taken}) == len(taken) == 40


def test_an_endpoint_has_only_a_few_in_flight(endpoint: Any, publish: Any) -> None:
    for number in range(10):
        publish(number=number)
    dispatch_events()
    first = claim()
    assert len(first) == 4
    assert claim() == []
    record([Outcome(first[0], Answer(status=200, error=None))])
    assert len(claim()) == 1


def test_a_hanging_endpoint_delays_nobody_and_moves_to_the_slow_lane(
    alice: Any, charlie: Any, receivers: Any, publish: Any, sender: Any, rows: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(settings, "LEASE_S", 6)  # the total deadline of a POST follows it: 4 s
    hanging, quick = receivers(), receivers()
    hanging.hold = threading.Event()
    bad = create_endpoint(alice.caller, url=hanging.url, event_types=["*"])
    create_endpoint(charlie.caller, url=quick.url, event_types=["*"])
    for number in range(40):
        publish(number=number)
    wake = sender()
    hanging.wait(4)
    started_at = time.monotonic()
    for number in range(40):
        publish(by=charlie, number=number)
    wake.set()
    quick.wait(40)
    assert time.monotonic() - started_at < 3
    assert len(hanging.got) == 4
    hanging.wait()  # the first ones have met their deadline
    assert rows("SELECT slow FROM webhook_endpoint WHERE id = %s", [bad.id]) == [{"slow": True}]
    errors = rows("SELECT DISTINCT last_error FROM delivery WHERE last_error IS NOT NULL")
    assert errors == [{"last_error": "deadline_exceeded"}]
    hanging.hold.set()


@pytest.mark.parametrize("shape", ["drip", "endless"])
def test_a_receiver_that_never_ends_its_answer_is_bounded(
    endpoint: Any, receiver: Any, publish: Any, rows: Any, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LEASE_S", 3)
    sent = 0

    def answer(handler: Any) -> None:
        nonlocal sent
        handler.send_response(500)
        handler.send_header("content-length", str(10**9))
        handler.end_headers()
        pause = threading.Event()
        for _ in range(10_000):
            sent += handler.wfile.write(b"x" * (1 if shape == "drip" else 65536))
            handler.wfile.flush()
            if shape == "drip":
                pause.wait(0.05)

    monkeypatch.setattr(receiver, "answer", answer)
    publish()
    started_at = time.monotonic()
    send()
    assert time.monotonic() - started_at < 6
    assert sent < 20_000_000  # what the socket buffers swallowed, not a gigabyte
    [attempt] = rows(ATTEMPTS)
    assert attempt["error"] == ("deadline_exceeded" if shape == "drip" else "http_status")


def test_the_beginning_of_a_failed_answer_is_kept_sealed_and_shown_to_its_tenant(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, rows: Any, http: Any
) -> None:
    receiver.reply.status, receiver.reply.body = 500, b"canary" + b"x" * 50_000
    publish()
    send()
    [attempt] = rows(ATTEMPTS)
    assert b"canary" not in bytes(attempt["response"])
    assert len(bytes(attempt["response"])) < 2200
    [listed] = http(alice, "GET", "/v1/deliveries")[1]["data"]
    _, one = http(alice, "GET", f"/v1/deliveries/{listed['id']}")
    assert one["attempts"][0]["response"].startswith("canary")
    assert len(one["attempts"][0]["response"]) == 2048


def test_an_address_that_became_forbidden_is_not_called(
    endpoint: Any, receiver: Any, publish: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webhooks import destinations

    publish()
    monkeypatch.setattr(settings, "EGRESS_ALLOW", frozenset())
    destinations.policy.cache_clear()
    send()
    assert receiver.got == []
    assert rows(ONE)[0]["last_error"] == "url_blocked"


def test_a_name_that_leads_inside_later_is_not_called(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, rows: Any
) -> None:
    from egress.facade import Client
    from webhooks.destinations import policy

    _move(alice, endpoint, "https://hooks.example.com/x")
    publish()
    dispatch_events()
    with Client(policy(), resolver=lambda host, port: ["127.0.0.1"]) as client:
        deliver_due(client=client)
    assert rows(ONE)[0]["last_error"] == "url_blocked"
    assert receiver.got == []


def test_plain_http_is_for_the_development_receivers_only(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, rows: Any
) -> None:
    from egress.facade import connect_count

    _move(alice, endpoint, "http://8.8.8.8/x")
    dials = connect_count()
    publish()
    send()
    assert rows(ONE)[0]["last_error"] == "url_blocked"
    assert connect_count() == dials


def test_secrets_and_urls_are_in_no_row_log_or_error(
    alice: Any, endpoint: Any, receivers: Any, receiver: Any, publish: Any, rows: Any, capfd: Any, caplog: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from webhooks import posting

    closed = receivers()
    closed.close()
    create_endpoint(alice.caller, url=closed.url, event_types=["*"])
    receiver.reply.status = 500
    publish()
    send()
    monkeypatch.setattr(posting.signing, "headers", _explode)
    publish()
    send()
    tables = ("webhook_endpoint", "delivery", "delivery_attempt", "outbox_event", "audit_entry")
    stored = "".join(str(rows(f"SELECT t::text FROM {table} t")) for table in tables)
    heard = capfd.readouterr()
    logged = heard.out + heard.err + caplog.text
    assert {row["error"] for row in rows(ATTEMPTS)} == {"http_status", "connect_failed", "sender_error"}
    for canary in (endpoint.secret, endpoint.secret.removeprefix("whsec_"), "url-canary"):
        assert canary not in stored
        assert canary not in logged
    assert endpoint.secret not in repr(endpoint)


def test_a_resend_is_one_more_attempt_also_on_a_disabled_endpoint(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, rows: Any
) -> None:
    publish()
    send()
    change_endpoint(alice.caller, endpoint.id, change=EndpointChange(enabled=False))
    [row] = rows(ONE)
    assert resend(alice.caller, row["id"])
    receiver.reply.status = 500
    assert deliver_due() == 1
    assert [one.id for one in receiver.got] == [receiver.got[0].id] * 2
    [row] = rows(ONE)
    assert (row["state"], row["attempt"], row["next_attempt_at"]) == ("failed", 2, None)
    assert [attempt["manual"] for attempt in rows(ATTEMPTS)] == [False, True]
    assert rows("SELECT consecutive_failures FROM webhook_endpoint") == [{"consecutive_failures": 0}]
    assert resend(alice.caller, row["id"])
    receiver.reply.status = 200
    assert deliver_due() == 1
    assert rows(ONE)[0]["state"] == "delivered"


def test_a_resend_of_a_waiting_delivery_does_not_use_up_its_schedule(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, rows: Any
) -> None:
    receiver.reply.status = 500
    publish()
    send()
    before = rows(ONE)[0]
    resend(alice.caller, before["id"])
    deliver_due()
    after = rows(ONE)[0]
    assert (after["state"], after["attempts_left"]) == ("pending", before["attempts_left"])


def test_a_resend_survives_a_killed_sender(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, rows: Any, rewind: Any
) -> None:
    publish()
    send()
    resend(alice.caller, rows(ONE)[0]["id"])
    assert len(claim()) == 1
    rewind()
    assert deliver_due() == 1
    assert rows(ONE)[0]["state"] == "delivered"
    assert len(receiver.got) == 2


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


def _move(person: Any, endpoint: Any, url: str) -> None:
    """As if the URL had been saved when it was still allowed."""
    from tenants.facade import tenant_context
    from webhooks.endpoints.models import WebhookTarget

    with tenant_context(person.tenant):
        WebhookTarget.objects.filter(pk=endpoint.id).update(url=url)


def _explode(*_: Any, **given: Any) -> None:
    raise RuntimeError(f"{given['secrets']} url-canary")


def shown(endpoint: Any) -> str:
    from apikit import ids

    return ids.show(ids.WEBHOOK_ENDPOINT, endpoint.id)

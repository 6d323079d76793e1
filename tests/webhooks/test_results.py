"""What follows from an answer: again, given up, paused, switched off; and what the log keeps of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webhooks.steps import ATTEMPTS, ONE, send, shown
from webhooks.facade import deliver_due, dispatch_events
from webhooks.services import EndpointChange, change_endpoint, delete_endpoint


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


def test_the_beginning_of_a_failed_answer_is_kept_sealed_and_shown_to_its_tenant(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, rows: Any, http: Any
) -> None:
    receiver.reply.status, receiver.reply.body = 500, b"canary" + b"x" * 50_000
    publish()
    send()
    [attempt] = rows(ATTEMPTS)
    assert b"canary" not in bytes(attempt["response"])
    assert len(bytes(attempt["response"])) < 3000
    [listed] = http(alice, "GET", "/v1/deliveries")[1]["data"]
    _, one = http(alice, "GET", f"/v1/deliveries/{listed['id']}")
    assert one["attempts"][0]["response"].startswith("canary")
    assert len(one["attempts"][0]["response"]) == 2048

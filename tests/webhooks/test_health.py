"""An endpoint that only fails: told of, switched off, tried again with one delivery, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from tests.webhooks.steps import ONE, send, shown
from webhooks.facade import deliver_due, dispatch_events
from webhooks.health_rules import COOLDOWNS_S, DISABLE_AFTER_S, LADDER_S
from webhooks.services import create_endpoint, delete_endpoint, resend

ENDPOINT = """SELECT *, extract(epoch FROM half_open_at - now())::float AS pause_s,
  extract(epoch FROM paused_until - now())::float AS rest_s FROM webhook_endpoint"""
EVENTS = "SELECT type, sequence, body FROM outbox_event WHERE type LIKE 'webhook_endpoint.%%' ORDER BY sequence"


@pytest.fixture
def failing_for(rows: Any) -> Callable[[float], None]:
    """As if all endpoints had begun to fail so many seconds ago, at least ten times."""

    def do(seconds: float, failures: int = 10) -> None:
        _system(
            "UPDATE webhook_endpoint SET failing_since = now() - %s * interval '1 second', consecutive_failures = %s",
            seconds,
            failures,
        )

    return do


@pytest.fixture
def quiet(alice: Any, receiver: Any) -> Any:
    """Alice's endpoint for results only, so that events about the endpoint itself do not go there."""
    return create_endpoint(alice.caller, url=receiver.url, event_types=["transcription.*"])


@pytest.fixture
def disabled(quiet: Any, receiver: Any, publish: Any, failing_for: Any, rewind: Any) -> Any:
    """An endpoint that its failures have just switched off."""
    receiver.reply.status = 500
    publish()
    send()
    failing_for(DISABLE_AFTER_S)
    rewind()
    send()
    return quiet


def test_each_rung_of_the_ladder_is_told_once(
    quiet: Any, receiver: Any, publish: Any, failing_for: Any, rewind: Any, rows: Any
) -> None:
    receiver.reply.status = 500
    publish()
    send()
    assert rows(EVENTS) == []
    for rung_s in LADDER_S:
        failing_for(rung_s + 1)
        for _ in range(2):
            rewind()
            send()
    assert [row["type"] for row in rows(EVENTS)] == ["webhook_endpoint.failing"] * len(LADDER_S)
    assert [row["sequence"] for row in rows(EVENTS)] == [1, 2, 3]
    assert json.loads(bytes(rows(EVENTS)[0]["body"]))["data"]["enabled"] is True
    audit = rows(
        "SELECT after->>'rung' AS rung FROM audit_entry WHERE action = 'webhook_endpoint.failing' AND subject = %s"
        " ORDER BY id",
        [str(quiet.id)],
    )
    assert [entry["rung"] for entry in audit] == ["1", "2", "3"]


def test_five_days_of_only_failures_switch_it_off(
    alice: Any, disabled: Any, http: Any, rows: Any, publish: Any
) -> None:
    _, now = http(alice, "GET", f"/v1/webhook-endpoints/{shown(disabled)}")
    assert (now["enabled"], now["disabled_reason"]) == (False, "failing")
    assert now["health"]["status"] == "disabled"
    assert now["health"]["failing_since"] < now["health"]["next_try_at"]
    [event] = rows(EVENTS)
    assert event["type"] == "webhook_endpoint.disabled"
    assert json.loads(bytes(event["body"]))["data"]["disabled_reason"] == "failing"
    assert COOLDOWNS_S[0] - 60 < rows(ENDPOINT)[0]["pause_s"] <= COOLDOWNS_S[0]
    deliver_due()
    assert [row["state"] for row in rows(ONE + " WHERE event_type LIKE 'transcription%%'")] == ["canceled"]
    publish()
    assert send() == 0


def test_a_single_late_failure_after_a_quiet_week_switches_nothing_off(
    quiet: Any, receiver: Any, publish: Any, failing_for: Any, rewind: Any, rows: Any
) -> None:
    receiver.reply.status = 500
    publish()
    send()
    failing_for(DISABLE_AFTER_S * 2, failures=8)
    rewind()
    send()
    assert rows(ENDPOINT)[0]["enabled"] is True
    rewind()
    send()
    assert rows(ENDPOINT)[0]["enabled"] is False


def test_a_success_among_failures_starts_the_time_anew(
    quiet: Any, receiver: Any, publish: Any, failing_for: Any, rewind: Any, rows: Any
) -> None:
    receiver.reply.status = 500
    publish(number=1)
    send()
    receiver.reply.status = 200
    publish(number=2)
    failing_for(DISABLE_AFTER_S)
    send()
    receiver.reply.status = 500
    rewind()
    send()
    [now] = rows(ENDPOINT)
    assert (now["enabled"], now["consecutive_failures"]) == (True, 1)


def test_its_tenant_sees_how_an_endpoint_does(
    alice: Any, quiet: Any, receiver: Any, publish: Any, http: Any, rewind: Any
) -> None:
    def health() -> Any:
        return http(alice, "GET", f"/v1/webhook-endpoints/{shown(quiet)}")[1]["health"]

    assert health() == {"status": "ok", "failing_since": None, "last_success_at": None, "next_try_at": None}
    receiver.reply.status = 500
    publish()
    send()
    assert health()["status"] == "failing"
    _system("UPDATE webhook_endpoint SET probing = true")
    rewind()
    send()
    assert health()["status"] == "probing"
    assert health()["next_try_at"] > health()["failing_since"]
    receiver.reply.status = 200
    rewind()
    send()
    assert health()["status"] == "ok"
    assert health()["last_success_at"] is not None


def test_after_its_pause_one_delivery_tries_and_a_success_opens_the_way(
    disabled: Any, receiver: Any, publish: Any, rows: Any
) -> None:
    deliver_due()
    _system("UPDATE webhook_endpoint SET half_open_at = now(), next_due_at = now()")
    deliver_due()
    [now] = rows(ENDPOINT)
    assert (now["enabled"], now["probing"], now["reopened"]) == (True, True, 1)
    before = len(receiver.got)
    for number in range(5):
        publish(number=number)
    receiver.reply.status = 200
    assert send() == 1
    assert len(receiver.got) == before + 1
    while deliver_due():
        pass
    assert len(receiver.got) == before + 5
    assert [row["type"] for row in rows(EVENTS)] == ["webhook_endpoint.disabled", "webhook_endpoint.recovered"]
    [now] = rows(ENDPOINT)
    assert (now["probing"], now["reopened"], now["warned"], now["failing_since"]) == (False, 0, 0, None)


def test_a_try_that_fails_switches_it_off_again_for_longer_and_tells_nobody_twice(
    disabled: Any, receiver: Any, publish: Any, rows: Any
) -> None:
    for pause_s in COOLDOWNS_S[1:3]:
        deliver_due()
        _system("UPDATE webhook_endpoint SET half_open_at = now(), next_due_at = now()")
        deliver_due()
        publish()
        assert send() == 1
        [now] = rows(ENDPOINT)
        assert (now["enabled"], now["disabled_reason"]) == (False, "failing")
        assert pause_s - 60 < now["pause_s"] <= pause_s
    assert [row["type"] for row in rows(EVENTS)] == ["webhook_endpoint.disabled"]


def test_a_deleted_endpoint_is_not_tried_again(alice: Any, disabled: Any, rows: Any) -> None:
    deliver_due()
    delete_endpoint(alice.caller, disabled.id)
    _system("UPDATE webhook_endpoint SET half_open_at = now(), next_due_at = now()")
    deliver_due()
    [now] = rows(ENDPOINT)
    assert (now["enabled"], now["next_due_at"]) == (False, None)


def test_after_the_last_try_it_stays_off(disabled: Any, publish: Any, rows: Any) -> None:
    deliver_due()
    _system("UPDATE webhook_endpoint SET reopened = %s, half_open_at = now(), next_due_at = now()", len(COOLDOWNS_S))
    deliver_due()
    publish()
    send()
    [now] = rows(ENDPOINT)
    assert (now["enabled"], now["half_open_at"]) == (False, None)


def test_enabled_by_its_tenant_it_gets_one_delivery_first_and_rests_while_that_fails(
    alice: Any, disabled: Any, receiver: Any, publish: Any, http: Any, rows: Any, rewind: Any
) -> None:
    deliver_due()
    http(alice, "PATCH", f"/v1/webhook-endpoints/{shown(disabled)}", {"enabled": True})
    for number in range(5):
        publish(number=number)
    before = len(receiver.got)
    assert send() == 1
    assert deliver_due() == 0
    assert 3 < rows(ENDPOINT)[0]["rest_s"] <= 5
    rewind()
    assert deliver_due() == 1
    assert 25 < rows(ENDPOINT)[0]["rest_s"] <= 30
    assert len(receiver.got) == before + 2
    receiver.reply.status = 200
    rewind()
    assert deliver_due() == 1
    while deliver_due():
        pass
    assert {row["state"] for row in rows(ONE + " WHERE attempt < 9 AND state <> 'canceled'")} == {"delivered"}
    assert rows(EVENTS)[-1]["type"] == "webhook_endpoint.recovered"


def test_switched_off_by_its_tenant_it_is_not_tried_again_by_itself(
    alice: Any, disabled: Any, http: Any, rows: Any
) -> None:
    path = f"/v1/webhook-endpoints/{shown(disabled)}"
    assert http(alice, "PATCH", path, {"enabled": False})[1]["disabled_reason"] == "by_tenant"
    assert rows(ENDPOINT)[0]["half_open_at"] is None
    http(alice, "PATCH", path, {"enabled": True})
    assert rows(ENDPOINT)[0]["probing"] is False


def test_resends_by_hand_say_nothing_of_its_health(
    alice: Any, quiet: Any, receiver: Any, publish: Any, failing_for: Any, rewind: Any, rows: Any
) -> None:
    receiver.reply.status = 500
    publish()
    send()
    failing_for(DISABLE_AFTER_S)
    [row] = rows(ONE)
    resend(alice.caller, row["id"])
    deliver_due()
    [now] = rows(ENDPOINT)
    assert (now["enabled"], now["consecutive_failures"], now["warned"]) == (True, 10, 0)
    receiver.reply.status = 200
    resend(alice.caller, row["id"])
    deliver_due()
    [now] = rows(ENDPOINT)
    assert (now["consecutive_failures"], now["failing_since"] is None) == (10, False)


def test_the_change_and_the_event_that_tells_of_it_are_one_transaction(
    quiet: Any, receiver: Any, publish: Any, failing_for: Any, rewind: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webhooks import health

    receiver.reply.status = 500
    publish()
    send()
    failing_for(DISABLE_AFTER_S)
    rewind()

    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("the outbox is away")

    monkeypatch.setattr(health, "publish", refuse)
    with pytest.raises(RuntimeError):
        send()
    [now] = rows(ENDPOINT)
    assert (now["enabled"], rows(EVENTS)) == (True, [])
    assert rows(ONE)[0]["state"] == "leased"


def test_a_failing_endpoint_does_not_hear_of_itself_for_ever(
    endpoint: Any, receiver: Any, publish: Any, failing_for: Any, rewind: Any, rows: Any
) -> None:
    receiver.reply.status = 500
    publish()
    send()
    failing_for(LADDER_S[0])
    for _ in range(3):
        rewind()
        send()
    dispatch_events()
    assert len(rows(EVENTS)) == 1


def _system(sql: str, *values: Any) -> None:
    with connections["system"].cursor() as cursor:
        cursor.execute(sql, values)

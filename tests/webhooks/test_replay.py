"""Recover and replay: counted first, opened bit by bit, once each, and only what the caller owns."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from tests.webhooks.steps import ONE, send, shown
from webhooks import replaying
from webhooks.facade import deliver_due, dispatch_events
from webhooks.replaying import advance_replays
from webhooks.services import EndpointChange, change_endpoint, create_endpoint

BEGIN = "2020-01-01T00:00:00Z"


@pytest.fixture
def path(endpoint: Any) -> str:
    return f"/v1/webhook-endpoints/{shown(endpoint)}"


@pytest.fixture
def failed(endpoint: Any, receiver: Any, publish: Any) -> Callable[[int], None]:
    """Events that the endpoint has missed for good."""

    def do(count: int) -> None:
        receiver.reply.status = 500
        _system("UPDATE webhook_endpoint SET schedule = '{0}', max_in_flight = 16")
        for number in range(count):
            publish(number=number)
        while send():
            pass
        receiver.reply.status = 200
        receiver.got.clear()

    return do


@pytest.fixture
def in_steps(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes every step this small, one in a turn, with seconds between them."""

    def do(batch: int) -> None:
        monkeypatch.setattr(replaying, "BATCH", batch)
        monkeypatch.setattr(replaying, "MAX_STEPS", 1)
        monkeypatch.setattr(replaying, "OPENED_PER_S", 0.5)

    return do


def later(seconds: float = 60) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def finish() -> None:
    """All steps of all replays, each at its time, and what they opened sent."""
    for _ in range(100):
        _system("UPDATE webhook_replay SET due_at = now()")
        advance_replays()
        while deliver_due():
            pass
        with connections["system"].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM webhook_replay WHERE state = 'running'")
            if cursor.fetchone()[0] == 0:
                return
    raise AssertionError("the replay did not end")


def test_recover_sends_what_was_missed_and_nothing_else(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, failed: Any, http: Any, path: str, rows: Any
) -> None:
    publish(number=100)
    send()
    failed(3)
    assert http(alice, "POST", f"{path}/recover", {"since": BEGIN, "dry_run": True}) == (
        200, {"object": "webhook_replay_count", "endpoint_id": shown(endpoint), "count": 3},
    )  # fmt: skip
    assert rows("SELECT * FROM webhook_replay") == []
    status, replay = http(alice, "POST", f"{path}/recover", {"since": BEGIN})
    assert (status, replay["state"], replay["expected_count"], replay["opened_count"]) == (202, "running", 3, 0)
    finish()
    status, replay = http(alice, "GET", f"{path}/replays/{replay['id']}")
    assert (status, replay["state"], replay["opened_count"]) == (200, "completed", 3)
    assert len({got.id for got in receiver.got}) == len(receiver.got) == 3
    assert {row["state"] for row in rows(ONE)} == {"delivered"}
    assert http(alice, "POST", f"{path}/recover", {"since": BEGIN, "dry_run": True})[1]["count"] == 0


def test_recover_brings_what_was_published_while_the_endpoint_was_off(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any, path: str, rows: Any
) -> None:
    change_endpoint(alice.caller, endpoint.id, change=EndpointChange(enabled=False))
    missed = publish()
    assert send() == 0
    assert rows(ONE) == []
    change_endpoint(alice.caller, endpoint.id, change=EndpointChange(enabled=True))
    assert http(alice, "POST", f"{path}/recover", {"since": BEGIN})[1]["expected_count"] == 1
    finish()
    [row] = rows(ONE)
    assert (row["event_id"], row["state"], len(receiver.got)) == (missed, "delivered", 1)


def test_a_delivery_made_by_a_replay_is_the_one_that_fan_out_would_have_made(
    alice: Any, endpoint: Any, publish: Any, http: Any, path: str, rows: Any
) -> None:
    publish()
    send()
    [made] = rows(ONE)
    _system("TRUNCATE delivery, delivery_attempt", alias="owner")
    http(alice, "POST", f"{path}/recover", {"since": BEGIN})
    finish()
    assert [row["id"] for row in rows(ONE)] == [made["id"]]


def test_recover_leaves_out_what_was_before_the_endpoint_and_a_replay_does_not(
    alice: Any, endpoint: Any, receivers: Any, publish: Any, http: Any
) -> None:
    publish()
    send()
    young = create_endpoint(alice.caller, url=receivers().url, event_types=["*"])
    path = f"/v1/webhook-endpoints/{shown(young)}"
    assert http(alice, "POST", f"{path}/recover", {"since": BEGIN, "dry_run": True})[1]["count"] == 0
    body = {"from": BEGIN, "to": later(), "dry_run": True}
    assert http(alice, "POST", f"{path}/replay", body)[1]["count"] == 1


def test_a_replay_sends_a_range_again_with_the_same_ids(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any, path: str
) -> None:
    publish(number=1)
    send()
    cut = datetime.now(UTC).isoformat()
    for number in (2, 3):
        publish(number=number)
    send()
    body = {"from": cut, "to": later()}
    assert http(alice, "POST", f"{path}/replay", body | {"dry_run": True})[1]["count"] == 2
    before = {got.id: got.body for got in receiver.got[1:]}
    receiver.got.clear()
    assert http(alice, "POST", f"{path}/replay", body)[1]["expected_count"] == 2
    finish()
    assert {got.id: got.body for got in receiver.got} == before


def test_types_narrow_the_endpoints_own_filter(alice: Any, receiver: Any, publish: Any, http: Any) -> None:
    made = create_endpoint(alice.caller, url=receiver.url, event_types=["transcription.*"])
    path = f"/v1/webhook-endpoints/{shown(made)}"
    for kind in ("transcription.completed", "transcription.failed", "speech.failed", "transcription.running"):
        publish(kind)
    send()

    def count(types: list[str] | None) -> int:
        body = {"from": BEGIN, "to": later(), "dry_run": True} | ({"event_types": types} if types else {})
        return int(http(alice, "POST", f"{path}/replay", body)[1]["count"])

    assert count(None) == 2
    assert count(["transcription.failed"]) == 1
    assert count(["*"]) == 2
    assert count(["speech.*"]) == 0


def test_what_is_on_its_way_is_not_sent_twice(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any, path: str, rows: Any
) -> None:
    publish()
    dispatch_events()
    assert http(alice, "POST", f"{path}/replay", {"from": BEGIN, "to": later()})[1]["expected_count"] == 0
    finish()
    assert len(receiver.got) == 1


def test_a_replay_stops_where_the_events_were_when_it_was_asked_for(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any, path: str
) -> None:
    publish(number=1)
    send()
    http(alice, "POST", f"{path}/replay", {"from": BEGIN, "to": later()})
    publish(number=2)
    send()
    receiver.got.clear()
    finish()
    assert len(receiver.got) == 1


def test_it_is_opened_in_small_steps_at_a_bounded_pace(
    alice: Any, failed: Any, http: Any, path: str, rows: Any, in_steps: Any
) -> None:
    in_steps(4)
    failed(10)
    http(alice, "POST", f"{path}/recover", {"since": BEGIN})
    assert advance_replays() == 4
    assert advance_replays() == 0  # not before its time
    [row] = rows("SELECT *, extract(epoch FROM due_at - now())::float AS wait_s FROM webhook_replay")
    assert 7 < row["wait_s"] <= 4 / replaying.OPENED_PER_S
    assert (row["opened"], row["state"]) == (4, "running")
    finish()
    assert rows("SELECT opened, state FROM webhook_replay") == [{"opened": 10, "state": "completed"}]


def test_of_an_endpoints_own_rate_half_is_left_for_todays_events(
    alice: Any, failed: Any, http: Any, path: str, rows: Any
) -> None:
    failed(3)
    _system("UPDATE webhook_endpoint SET rate_per_s = 2")
    http(alice, "POST", f"{path}/recover", {"since": BEGIN})
    assert advance_replays() == 3
    # One more look finds the end; it is due when what was opened is paid for.
    [row] = rows("SELECT extract(epoch FROM due_at - now())::float AS wait_s FROM webhook_replay")
    assert 2.5 < row["wait_s"] <= 3


def test_it_waits_for_a_receiver_that_does_not_follow(
    alice: Any, failed: Any, http: Any, path: str, rows: Any, in_steps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_steps(2)
    monkeypatch.setattr(replaying, "WAITING", 2)
    failed(6)
    http(alice, "POST", f"{path}/recover", {"since": BEGIN})
    assert advance_replays() == 2
    _system("UPDATE webhook_replay SET due_at = now()")
    assert advance_replays() == 0
    assert deliver_due() == 2
    _system("UPDATE webhook_replay SET due_at = now()")
    assert advance_replays() == 2


def test_a_filter_that_fits_few_is_scanned_in_bounded_steps(
    alice: Any, receiver: Any, publish: Any, http: Any, rows: Any, in_steps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_steps(100)
    monkeypatch.setattr(replaying, "SCANNED", 3)
    made = create_endpoint(alice.caller, url=receiver.url, event_types=["transcription.failed"])
    for kind in ["transcription.completed"] * 7 + ["transcription.failed"]:
        publish(kind)
    send()
    receiver.got.clear()
    http(alice, "POST", f"/v1/webhook-endpoints/{shown(made)}/replay", {"from": BEGIN, "to": later()})
    assert advance_replays() == 0
    assert rows("SELECT state FROM webhook_replay") == [{"state": "running"}]
    finish()
    assert len(receiver.got) == 1


def test_one_replay_of_an_endpoint_at_a_time(alice: Any, failed: Any, http: Any, path: str) -> None:
    failed(1)
    assert http(alice, "POST", f"{path}/recover", {"since": BEGIN})[0] == 202
    status, problem = http(alice, "POST", f"{path}/replay", {"from": BEGIN, "to": later()})
    assert (status, problem["code"]) == (409, "replay_running")
    finish()
    assert http(alice, "POST", f"{path}/recover", {"since": BEGIN})[0] == 202


def test_a_canceled_replay_opens_no_more(
    alice: Any, failed: Any, http: Any, path: str, rows: Any, in_steps: Any
) -> None:
    in_steps(2)
    failed(6)
    replay = http(alice, "POST", f"{path}/recover", {"since": BEGIN})[1]
    advance_replays()
    assert http(alice, "POST", f"{path}/replays/{replay['id']}/cancel")[1]["state"] == "canceled"
    [told] = rows("SELECT before, after FROM audit_entry WHERE action = 'webhook_endpoint.replay_canceled'"
                  " AND tenant_id = %s", [alice.id])  # fmt: skip
    assert tuple(json.loads(told[name])["state"] for name in ("before", "after")) == ("running", "canceled")
    finish()
    assert http(alice, "POST", f"{path}/replays/{replay['id']}/cancel")[1]["opened_count"] == 2
    assert sorted(row["state"] for row in rows(ONE)) == ["delivered"] * 2 + ["failed"] * 4


def test_a_disabled_endpoint_is_refused_and_one_disabled_meanwhile_ends_the_replay(
    alice: Any, endpoint: Any, failed: Any, http: Any, path: str, rows: Any
) -> None:
    failed(2)
    http(alice, "POST", f"{path}/recover", {"since": BEGIN})
    change_endpoint(alice.caller, endpoint.id, change=EndpointChange(enabled=False))
    assert advance_replays() == 0
    assert rows("SELECT state FROM webhook_replay") == [{"state": "canceled"}]
    status, problem = http(alice, "POST", f"{path}/recover", {"since": BEGIN})
    assert (status, problem["code"]) == (409, "endpoint_closed")


@pytest.mark.parametrize(
    ("route", "body", "field"),
    [
        ("recover", {}, "since"),
        ("recover", {"since": "yesterday"}, "since"),
        ("recover", {"since": 1_700_000_000}, "since"),
        ("recover", {"since": "2026-01-01T00:00:00"}, "since"),
        ("recover", {"since": "0001-01-01T00:00:00+14:00"}, "since"),
        ("recover", {"since": BEGIN, "until": BEGIN}, "until"),
        ("replay", {"from": BEGIN}, "to"),
        ("replay", {"from": BEGIN, "to": BEGIN}, "to"),
        ("replay", {"from": BEGIN, "to": "2026-01-01T00:00:00Z", "event_types": []}, "event_types"),
        ("replay", {"from": BEGIN, "to": "2026-01-01T00:00:00Z", "event_types": ["transcript.*"]}, "event_types"),
    ],
)
def test_a_wish_that_cannot_be_read_is_refused_with_its_field(
    alice: Any, http: Any, path: str, route: str, body: dict[str, Any], field: str
) -> None:
    status, problem = http(alice, "POST", f"{path}/{route}", body)
    assert status == 422
    assert field in problem["errors"][0]["field"]


def test_charlie_and_the_other_mode_see_and_start_nothing(
    alice: Any, bob: Any, charlie: Any, failed: Any, http: Any, path: str, rows: Any
) -> None:
    from tenants.facade import authenticate

    failed(1)
    replay = http(alice, "POST", f"{path}/recover", {"since": BEGIN})[1]
    test_key = authenticate(alice.test_secret, address="127.0.0.1")
    for stranger in (charlie, test_key):
        assert http(stranger, "POST", f"{path}/recover", {"since": BEGIN})[0] == 404
        assert http(stranger, "POST", f"{path}/recover", {"since": BEGIN, "dry_run": True})[0] == 404
        assert http(stranger, "POST", f"{path}/replay", {"from": BEGIN, "to": later()})[0] == 404
        assert http(stranger, "GET", f"{path}/replays/{replay['id']}")[0] == 404
        assert http(stranger, "POST", f"{path}/replays/{replay['id']}/cancel")[0] == 404
        assert http(stranger, "GET", f"{path}/replays")[0] == 404
    assert len(rows("SELECT * FROM webhook_replay WHERE state = 'running'")) == 1
    [listed] = http(bob, "GET", f"{path}/replays")[1]["data"]
    assert listed["id"] == replay["id"]


def test_a_replay_reads_only_its_own_tenants_events(
    alice: Any, charlie: Any, failed: Any, publish: Any, http: Any, path: str, receiver: Any
) -> None:
    publish(by=charlie)
    publish(livemode=False)
    send()
    failed(1)
    assert http(alice, "POST", f"{path}/recover", {"since": BEGIN})[1]["expected_count"] == 1
    finish()
    assert len(receiver.got) == 1


def _system(sql: str, *values: Any, alias: str = "system") -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, values)

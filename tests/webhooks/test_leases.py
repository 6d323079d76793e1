"""Who may send what: leases, lost senders, a few in flight, and nobody who starves."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from tests.webhooks.steps import ATTEMPTS, ONE, claim, send
from webhooks import claims, sending
from webhooks.contracts import Answer, Outcome
from webhooks.facade import deliver_due, dispatch_events
from webhooks.results import record
from webhooks.services import create_endpoint


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

"""An endpoint's own schedule, rate and number in flight."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from tests.webhooks.steps import ONE, claim, send
from webhooks.facade import deliver_due, dispatch_events

WAIT = "SELECT *, extract(epoch FROM next_attempt_at - now())::float AS wait_s FROM delivery"
DUE = "SELECT extract(epoch FROM next_due_at - now())::float AS due_s FROM webhook_endpoint"


@pytest.fixture
def paced(endpoint: Any, publish: Any) -> Callable[..., None]:
    """Gives Alice's endpoint its own pace, and some events."""

    def do(*, events: int, **columns: Any) -> None:
        names = ", ".join(f"{name} = %s" for name in columns)
        _system(f"UPDATE webhook_endpoint SET {names}", *columns.values())
        for number in range(events):
            publish(number=number)
        dispatch_events()

    return do


def test_a_schedule_of_its_own_gives_the_attempts_and_their_times(
    paced: Any, receiver: Any, rows: Any, rewind: Any
) -> None:
    receiver.reply.status = 500
    paced(events=1, schedule=[0, 60, 7])
    waits = []
    for _ in range(5):
        deliver_due()
        waits.append(rows(WAIT)[0]["wait_s"])
        rewind()
    assert 59 < waits[0] <= 66.1
    assert 6 < waits[1] <= 7.8
    assert waits[2:] == [None] * 3
    assert len(receiver.got) == 3
    assert rows(ONE)[0]["state"] == "failed"


def test_a_schedule_may_begin_with_a_pause(paced: Any, receiver: Any, rows: Any, rewind: Any) -> None:
    paced(events=1, schedule=[30])
    assert deliver_due() == 0
    assert 28 < rows(WAIT)[0]["wait_s"] <= 30
    rewind()
    receiver.reply.status = 500
    assert deliver_due() == 1
    assert rows(ONE)[0]["state"] == "failed"


def test_a_rate_is_kept_when_claiming(paced: Any, rows: Any) -> None:
    paced(events=20, rate_per_s=2.0, max_in_flight=16)
    assert len(claim()) == 2
    assert claim() == []
    assert 0.3 < rows(DUE)[0]["due_s"] <= 0.5
    _pass(0.5)
    assert len(claim()) == 1
    assert claim() == []
    _pass(60)
    assert len(claim()) == 2  # a rest saves up one second's worth, not a minute's
    _pass(0)
    assert claim() == []


@pytest.mark.parametrize("rate", [0.1, 1.0, 7.5])
def test_over_time_a_rate_is_exactly_its_number(paced: Any, rate: float) -> None:
    paced(events=40, rate_per_s=rate, max_in_flight=100)
    begun_s = time.monotonic()
    taken = len(claim())
    for _ in range(8):
        _pass(0.5)
        taken += len(claim())
    # 4 s and the second saved up, of which parts of one delivery are not sent; and what the test itself took.
    most_s = 5 + time.monotonic() - begun_s
    assert max(1, int(5 * rate) - 1) <= taken <= max(1, round(most_s * rate + 1))


def test_a_rate_holds_over_several_senders(paced: Any) -> None:
    import threading

    paced(events=30, rate_per_s=5.0, max_in_flight=100)
    taken: list[Any] = []

    def run() -> None:
        for _ in range(5):
            taken.extend(claim())
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 5 <= len(taken) <= 7  # the time that the test itself takes earns a few more


def test_one_endpoints_rate_delays_no_other(
    alice: Any, charlie: Any, receivers: Any, paced: Any, publish: Any, rows: Any
) -> None:
    from webhooks.services import create_endpoint

    other = receivers()
    create_endpoint(charlie.caller, url=other.url, event_types=["*"])
    paced(events=5, rate_per_s=0.1)
    _system("UPDATE webhook_endpoint SET rate_per_s = NULL WHERE tenant_id = %s", charlie.id)
    for number in range(4):
        publish(by=charlie, number=number)
    send()
    assert len(other.got) == 4


def test_no_more_are_in_flight_than_allowed(paced: Any) -> None:
    paced(events=10, max_in_flight=2)
    assert len(claim()) == 2
    assert claim() == []


def _pass(seconds: float) -> None:
    """Time passes for the rate, and the endpoint is looked at again."""
    _system(
        "UPDATE webhook_endpoint SET rate_until = rate_until - %s * interval '1 second', next_due_at = now()"
        " WHERE rate_per_s IS NOT NULL",
        seconds,
    )


def _system(sql: str, *values: Any) -> None:
    with connections["system"].cursor() as cursor:
        cursor.execute(sql, values)

"""Positions, and who gets a delivery."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connections

from webhooks.facade import dispatch_events
from webhooks.services import EndpointChange, change_endpoint, create_endpoint, delete_endpoint


def subscribe(person: Any, receiver: Any, *event_types: str) -> Any:
    return create_endpoint(person.caller, url=receiver.url, event_types=list(event_types))


def events_after(http: Any, person: Any, position: int) -> list[int]:
    status, body = http(person, "GET", f"/v1/events?after={position}&limit=100")
    assert status == 200
    return [event["data"]["number"] for event in body["data"]]


def test_an_event_becomes_one_delivery_per_endpoint_that_wants_it(
    alice: Any, receiver: Any, publish: Any, rows: Any
) -> None:
    wanting = {
        subscribe(alice, receiver, *kinds).id
        for kinds in (["*"], ["transcription.*"], ["transcription.completed", "*"])
    }
    subscribe(alice, receiver, "speech.*")
    publish()
    assert dispatch_events() == 1
    assert {row["endpoint_id"] for row in rows("SELECT * FROM delivery")} == wanting
    assert dispatch_events() == 0
    assert len(rows("SELECT * FROM delivery")) == 3


def test_queued_comes_only_to_who_names_it(alice: Any, receiver: Any, publish: Any, rows: Any) -> None:
    subscribe(alice, receiver, "*", "transcription.*")
    naming = subscribe(alice, receiver, "transcription.queued")
    publish("transcription.queued")
    dispatch_events()
    assert [row["endpoint_id"] for row in rows("SELECT * FROM delivery")] == [naming.id]


def test_other_modes_other_tenants_and_closed_endpoints_get_nothing(
    alice: Any, charlie: Any, receiver: Any, publish: Any, rows: Any
) -> None:
    subscribe(charlie, receiver, "*")
    disabled, deleted = subscribe(alice, receiver, "*"), subscribe(alice, receiver, "*")
    change_endpoint(alice.caller, disabled.id, change=EndpointChange(enabled=False))
    delete_endpoint(alice.caller, deleted.id)
    subscribe(alice, receiver, "*")
    publish(livemode=False)
    dispatch_events()
    assert rows("SELECT * FROM delivery") == []


def test_a_delivery_is_unique_per_event_and_endpoint(endpoint: Any, publish: Any, rows: Any) -> None:
    publish()
    dispatch_events()
    with pytest.raises(IntegrityError, match="delivery"), connections["system"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO delivery SELECT created_at, gen_random_uuid(), tenant_id, livemode, event_id, event_type,"
            " endpoint_id, 'pending', 0, 10, 0, false, now() FROM delivery"
        )


def test_a_dispatch_that_is_repeated_after_a_crash_makes_no_second_delivery(
    endpoint: Any, publish: Any, rows: Any
) -> None:
    publish()
    dispatch_events()
    with connections["system"].cursor() as cursor:
        cursor.execute("UPDATE outbox_event SET position = NULL")
    assert dispatch_events() == 1
    assert len(rows("SELECT * FROM delivery")) == 1


def test_polling_skips_nothing_when_an_older_transaction_commits_late(alice: Any, publish: Any, http: Any) -> None:
    began, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        from django.db import transaction

        with transaction.atomic():
            publish(number=1)
            began.set()
            assert may_commit.wait(20)
        connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    assert began.wait(20)
    publish(number=2)
    assert dispatch_events() == 1
    first = http(alice, "GET", "/v1/events?after=0")[1]
    assert [event["data"]["number"] for event in first["data"]] == [2]
    may_commit.set()
    thread.join()
    publish(number=3)
    dispatch_events()
    assert events_after(http, alice, first["next_after"]) == [1, 3]


def test_a_second_dispatcher_does_nothing_while_one_is_at_it(endpoint: Any, publish: Any) -> None:
    import psycopg

    from webhooks.fanout import DISPATCH_LOCK

    publish()
    database = settings.DATABASES["system"]
    other = psycopg.connect(
        host=database["HOST"], port=database["PORT"] or None, user=database["USER"], password=database["PASSWORD"],
        dbname=database["NAME"],
    )  # fmt: skip
    with other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [DISPATCH_LOCK])
        assert dispatch_events() == 0
    assert dispatch_events() == 1


def test_many_dispatchers_at_once_hand_out_each_event_once_and_in_order(
    alice: Any, endpoint: Any, publish: Any, http: Any, rows: Any
) -> None:
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            dispatch_events(limit=7)
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(60):
        publish(number=number)
    stop.set()
    for thread in threads:
        thread.join()
    while dispatch_events():
        pass
    assert events_after(http, alice, 0) == list(range(60))
    assert len(rows("SELECT DISTINCT event_id FROM delivery")) == len(rows("SELECT * FROM delivery")) == 60


def test_a_poller_beside_writers_and_dispatcher_sees_every_event_once(alice: Any, publish: Any, http: Any) -> None:
    stop, seen = threading.Event(), []

    def write(base: int) -> None:
        from django.db import transaction

        for number in range(base, base + 15):
            with transaction.atomic():
                publish(number=number)
                stop.wait(0.002 * (number % 3))
        connections.close_all()

    def dispatch() -> None:
        while not stop.is_set():
            dispatch_events(limit=5)
        connections.close_all()

    writers = [threading.Thread(target=write, args=(base,)) for base in (0, 100, 200)]
    dispatcher = threading.Thread(target=dispatch)
    for thread in (*writers, dispatcher):
        thread.start()
    position = 0
    while len(seen) < 45:
        body = http(alice, "GET", f"/v1/events?after={position}&limit=4")[1]
        seen += [event["data"]["number"] for event in body["data"]]
        position = body["next_after"]
    stop.set()
    for thread in (*writers, dispatcher):
        thread.join()
    assert sorted(seen) == [*range(15), *range(100, 115), *range(200, 215)]

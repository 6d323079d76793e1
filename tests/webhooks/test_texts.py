"""Events with their text: only for endpoints that asked, sealed at rest, the same bytes every time, and forgettable."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from standardwebhooks import Webhook

from apikit import ids
from events.facade import publish as publish_event
from tenants.facade import tenant_context
from webhooks.contracts import Tuning
from webhooks.facade import deliver_due, dispatch_events, forget_text, keep_text
from webhooks.services import create_endpoint

TEXT = '오늘 회의는 text-canary "세 시"에\n시작합니다.'


@pytest.fixture
def texting(alice: Any, receivers: Any) -> Any:
    """Alice's receiver that asked for the text, with its endpoint."""
    made = receivers()
    made.endpoint = create_endpoint(alice.caller, url=made.url, event_types=["*"], tuning=Tuning(include_text=True))
    return made


@pytest.fixture
def complete(alice: Any) -> Callable[..., UUID]:
    """Completes a job as far as webhooks see of it; returns the job's id."""

    def do(text: str = TEXT, *, by: Any = alice, livemode: bool = True, **more: Any) -> UUID:
        job_id = ids.new_id()
        data = {"object": "transcription", "id": "trn_1", "metadata": more.pop("metadata", {})}
        with tenant_context(by.tenant), transaction.atomic():
            event_id = publish_event(
                "transcription.completed", tenant_id=by.id, livemode=livemode, subject_id=job_id, sequence=3, data=data
            )
            keep_text(event_id, tenant_id=by.id, subject_id=job_id, text=text, **more)
        return job_id

    return do


def send() -> None:
    dispatch_events()
    deliver_due()


def data(got: Any) -> Any:
    return json.loads(got.body)["data"]


def test_only_endpoints_that_asked_get_the_text(
    alice: Any, endpoint: Any, receiver: Any, texting: Any, complete: Any, http: Any
) -> None:
    complete()
    send()
    assert "text" not in data(receiver.got[0])
    assert data(texting.got[0]) == data(receiver.got[0]) | {"text": TEXT}
    Webhook(texting.endpoint.secret).verify(texting.got[0].body, texting.got[0].headers)
    assert b"text-canary" not in receiver.got[0].body
    assert "text-canary" not in str(http(alice, "GET", "/v1/events")[1])


def test_every_attempt_and_every_resend_sends_the_same_bytes(
    alice: Any, texting: Any, complete: Any, http: Any, rewind: Any
) -> None:
    texting.reply.status = 500
    complete()
    send()
    rewind()
    texting.reply.status = 200
    deliver_due()
    [row] = http(alice, "GET", "/v1/deliveries")[1]["data"]
    assert http(alice, "POST", f"/v1/deliveries/{row['id']}/resend")[0] == 202
    deliver_due()
    assert len(texting.got) == 3
    assert len({got.body for got in texting.got}) == 1
    assert len({got.id for got in texting.got}) == 1


def test_the_text_stands_nowhere_in_the_clear(alice: Any, texting: Any, complete: Any, rows: Any) -> None:
    complete()
    send()
    assert len(texting.got) == 1
    tables = ("event_text", "outbox_event", "delivery", "delivery_attempt", "kept_answer", "audit_entry")
    raw = [value for table in tables for row in rows(f"SELECT * FROM {table}") for value in row.values()]
    stored = b"".join(bytes(value) if isinstance(value, memoryview | bytes) else str(value).encode() for value in raw)
    assert b"text-canary" not in stored
    assert len(rows("SELECT * FROM event_text WHERE body IS NOT NULL AND tenant_id = %s", [alice.id])) == 1


def test_a_deleted_jobs_text_is_replaced_by_a_tombstone(
    alice: Any, texting: Any, complete: Any, http: Any, rows: Any, rewind: Any
) -> None:
    texting.reply.status = 500
    job_id, other = complete(), complete("another text")
    send()
    with tenant_context(alice.tenant), transaction.atomic():
        forget_text(job_id)
    rewind()
    deliver_due()
    texts = {ids.parse(ids.EVENT, got.id): data(got) for got in texting.got[2:]}
    states = rows("SELECT event_id, subject_id, body, forgotten FROM event_text WHERE tenant_id = %s", [alice.id])
    for row in states:
        sent = texts[row["event_id"]]
        if row["subject_id"] == job_id:
            assert (row["body"], row["forgotten"]) == (None, "deleted")
            assert (sent["text"], sent["omitted"]) == (None, {"text": "deleted"})
        else:
            assert row["subject_id"] == other
            assert sent["text"] == "another text"
    assert len(states) == 2


def test_nothing_is_kept_when_nobody_wants_text(alice: Any, charlie: Any, endpoint: Any, complete: Any, texting: Any,
                                                rows: Any) -> None:  # fmt: skip
    complete(by=charlie)
    assert rows("SELECT * FROM event_text WHERE tenant_id = %s", [charlie.id]) == []
    with tenant_context(charlie.tenant), CaptureQueriesContext(connection) as queries:
        keep_text(ids.new_id(), tenant_id=charlie.id, subject_id=ids.new_id(), text=TEXT)
    assert len(queries) == 1


@pytest.mark.parametrize(
    ("text", "more"),
    [("가" * 5334, {}), ("x" * 16_001, {}), ('"' * 11_000, {}), ("x" * 9_000, {"metadata": {"note": "y" * 11_000}})],
    ids=["16,002 bytes of Hangul", "16,001 bytes", "much to escape", "a body that is long already"],
)
def test_a_text_that_is_too_long_is_left_out_with_a_reason(texting: Any, complete: Any, text: str, more: Any) -> None:
    complete(text, **more)
    send()
    sent = data(texting.got[0])
    assert (sent["text"], sent["omitted"]) == (None, {"text": "too_long"})
    assert len(texting.got[0].body) < 20_000


@pytest.mark.parametrize("text", ["가" * 5333, "x" * 16_000, ""])
def test_a_text_up_to_the_limit_is_sent_whole(texting: Any, complete: Any, text: str) -> None:
    complete(text)
    send()
    assert data(texting.got[0])["text"] == text
    assert len(texting.got[0].body) < 20_000


def test_with_zero_retention_the_first_success_forgets_the_text(
    alice: Any, texting: Any, complete: Any, http: Any, rows: Any
) -> None:
    texting.reply.status = 500
    complete(until_delivered=True)
    complete("kept text")
    send()
    assert len(rows("SELECT * FROM event_text WHERE body IS NOT NULL AND tenant_id = %s", [alice.id])) == 2
    texting.reply.status = 200
    for row in http(alice, "GET", "/v1/deliveries")[1]["data"]:
        http(alice, "POST", f"/v1/deliveries/{row['id']}/resend")
    deliver_due()
    assert sorted(data(got)["text"] for got in texting.got[2:]) == sorted([TEXT, "kept text"])
    [gone] = rows("SELECT * FROM event_text WHERE body IS NULL AND tenant_id = %s", [alice.id])
    assert gone["forgotten"] == "delivered"
    [delivery] = [
        row for row in http(alice, "GET", "/v1/deliveries")[1]["data"]
        if ids.parse(ids.EVENT, row["event_id"]) == gone["event_id"]
    ]  # fmt: skip
    http(alice, "POST", f"/v1/deliveries/{delivery['id']}/resend")
    deliver_due()
    assert data(texting.got[-1])["omitted"] == {"text": "delivered"}


def test_a_success_without_the_text_does_not_count_as_its_delivery(
    alice: Any, endpoint: Any, receiver: Any, texting: Any, complete: Any, rewind: Any
) -> None:
    texting.reply.status = 500
    complete(until_delivered=True)
    send()
    assert len(receiver.got) == 1
    texting.reply.status = 200
    rewind()
    deliver_due()
    assert [data(got)["text"] for got in texting.got] == [TEXT, TEXT]


def test_an_endpoint_that_stops_asking_gets_no_more_text(alice: Any, texting: Any, complete: Any, http: Any) -> None:
    complete()
    send()
    path = f"/v1/webhook-endpoints/{ids.show(ids.WEBHOOK_ENDPOINT, texting.endpoint.id)}"
    assert http(alice, "PATCH", path, {"include": []})[0] == 200
    [row] = http(alice, "GET", "/v1/deliveries")[1]["data"]
    http(alice, "POST", f"/v1/deliveries/{row['id']}/resend")
    deliver_due()
    assert ["text" in data(got) for got in texting.got] == [True, False]


def test_an_event_that_never_had_a_text_is_sent_as_it_is(alice: Any, texting: Any, publish: Any) -> None:
    publish("transcription.failed")
    send()
    assert data(texting.got[0]) == {"object": "transcription", "number": 1}


def test_the_text_of_an_erased_tenant_is_not_sent(alice: Any, texting: Any, complete: Any, rewind: Any) -> None:
    from tenants import vault

    texting.reply.status = 500
    complete()
    send()
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM data_key WHERE tenant_id = %s", [alice.id])
    vault._opened.clear()
    rewind()
    deliver_due()
    assert all(data(got).get("text") is None for got in texting.got[1:])


def test_charlie_sees_and_forgets_no_text_of_alices(alice: Any, charlie: Any, texting: Any, complete: Any,
                                                    rows: Any) -> None:  # fmt: skip
    job_id = complete()
    with tenant_context(charlie.tenant), connection.cursor() as cursor:
        forget_text(job_id)
        cursor.execute("SELECT count(*) FROM public.event_text")
        assert cursor.fetchone() == (0,)
    assert len(rows("SELECT * FROM event_text WHERE body IS NOT NULL AND subject_id = %s", [job_id])) == 1


def test_the_table_of_texts_expires_like_its_events() -> None:
    from config.wiring import DAYS_KEPT

    assert DAYS_KEPT["event_text"] == DAYS_KEPT["outbox_event"]

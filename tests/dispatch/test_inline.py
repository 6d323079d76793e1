"""The two statements of a job that is heard while it is accepted: what they cost, and what they leave when refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.api.media import tone
from tests.dispatch.conftest import Desk, run_threads, sql

NO_CONTENT = "asked AS (SELECT 1 FROM job)"


@pytest.fixture(autouse=True)
def _no_decoder_is_left() -> Iterator[None]:
    from speech.facade import close_pools

    yield
    close_pools()


@pytest.fixture
def clip_order(alice: Any) -> Any:
    return make_order(alice)


def make_order(someone: Any, **fields: Any) -> Any:
    """A recording of a second that came with a request and is waited for."""
    from speech.contracts import StoredFile, TranscriptionOrder
    from speech.facade import incoming_key
    from storage.facade import store

    key, clip = incoming_key(someone.id), tone(1_000)
    store().put_bytes(key, data=clip, content_type="application/octet-stream")
    file = StoredFile(object_key=key, filename="a.wav", content_type="audio/wav", size_bytes=len(clip), sha256="0" * 64,
                      head=clip[:4096], content=clip)  # fmt: skip
    wished: dict[str, Any] = {"file": file, "engine": "simulated", "waited_for": True}
    return TranscriptionOrder(**wished | fields)


def transcribe(someone: Any, order: Any) -> Any:
    from speech import inline
    from tenants.facade import tenant_context

    with tenant_context(someone.tenant):
        return inline.transcribe(someone.caller, order, idempotency_key=None)


def accept(someone: Any, order: Any) -> Any:
    from speech import services
    from tenants.facade import tenant_context

    with tenant_context(someone.tenant):
        return services.accept(someone.caller, order, idempotency_key=None)


def statements(work: Any) -> list[str]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        work()
    return [query["sql"] for query in captured.captured_queries if "set_config" not in query["sql"]]


def rows_of(someone: Any) -> dict[str, int]:
    tables = ("job", "hold", "work_item", "usage_entry", "outbox_event", "due_date")
    return {table: sql(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", [someone.id])[0][0] for table in tables}


def test_a_job_is_accepted_and_finished_in_two_statements(alice: Any, clip_order: Any) -> None:
    transcribe(alice, make_order(alice))  # price books and policies are known from here on
    found: list[Any] = []
    ran = statements(lambda: found.append(transcribe(alice, clip_order)))
    assert len(ran) == 2
    assert found[0][1].job.state == "completed"


def test_an_order_by_url_is_accepted_in_one_statement(alice: Any) -> None:
    from speech.contracts import TranscriptionOrder

    order = TranscriptionOrder(audio_url="https://8.8.8.8/a.wav", engine="simulated")
    accept(alice, order)
    assert len(statements(lambda: accept(alice, order))) == 1
    leave_nothing_waiting(alice)


def test_one_connection_writes_each_tenants_rows_where_they_belong(alice: Any, charlie: Any) -> None:
    """The statements are prepared once per connection, whoever comes next."""
    from speech.models import StoredTranscript, TranscriptionRequest
    from tenants.facade import tenant_context

    asked = {someone.id: {transcribe(someone, make_order(someone))[0].job_id for _ in range(4)}
             for someone in (alice, charlie)}  # fmt: skip
    for someone in (alice, charlie, alice):
        asked[someone.id].add(transcribe(someone, make_order(someone))[0].job_id)
    for someone in (alice, charlie):
        with tenant_context(someone.tenant):
            for table in (TranscriptionRequest, StoredTranscript):
                assert set(table.objects.values_list("job_id", flat=True)) == asked[someone.id]


def test_its_scratch_files_go_with_it(alice: Any, clip_order: Any) -> None:
    from django.conf import settings

    assert transcribe(alice, clip_order)[1] is not None
    assert [path for path in Path(settings.WORK_DIR).rglob("*") if path.is_file()] == []


def test_where_work_waits_it_waits_too_and_nothing_is_decoded_ahead_for_a_while(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from speech import fused

    accept(alice, make_order(alice, waited_for=False))  # stands in the lane: nobody works here
    accepted, found = transcribe(alice, make_order(alice))
    assert (accepted.lease, accepted.measured, found) == (None, None, None)
    assert (accepted.job.state, accepted.job.measured_ms, accepted.request.media) == ("queued", None, {})
    held = sql("SELECT DISTINCT amount FROM hold WHERE tenant_id = %s", [alice.id])
    assert held == [(Decimal("0.000000100"),)]
    decoded: list[Any] = []
    monkeypatch.setattr(fused, "_decoded", lambda *parts: decoded.append(parts))
    transcribe(alice, make_order(alice))
    assert decoded == []
    leave_nothing_waiting(alice)


def test_a_lost_lease_finishes_nothing(alice: Any, clip_order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from speech import flow

    call = flow.call_engine

    def lose(*parts: Any, lease: Any, **options: Any) -> Any:
        sql("UPDATE work_item SET lease_token = gen_random_uuid() WHERE id = %s", [lease.item_id])
        return call(*parts, lease=lease, **options)

    monkeypatch.setattr(flow, "call_engine", lose)
    accepted, found = transcribe(alice, clip_order)
    assert found is None
    assert sql("SELECT state, event_sequence FROM job WHERE id = %s", [accepted.job_id]) == [("running", 0)]
    assert rows_of(alice) == {
        "job": 1, "hold": 1, "work_item": 1, "usage_entry": 0, "outbox_event": 0, "due_date": 0,
    }  # fmt: skip
    leave_nothing_waiting(alice)


@pytest.mark.parametrize("broken", ["the event", "the bill"])
def test_a_finish_that_fails_halfway_leaves_the_job_to_a_worker(
    alice: Any, clip_order: Any, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    from billing.facade import charge
    from events.facade import event_values

    def too_dear(*of: Any, **more: Any) -> Any:
        cost, values = charge(*of, **more)
        return cost, values | {"charge_amounts": [Decimal(9)]}

    if broken == "the event":
        monkeypatch.setattr("speech.finishing.event_values", lambda *of: event_values(*of) | {"event_type": "x" * 65})
    else:
        monkeypatch.setattr("speech.finishing.charge", too_dear)
    accepted, found = transcribe(alice, clip_order)
    assert found is None
    assert sql("SELECT state, finished_at FROM job WHERE id = %s", [accepted.job_id]) == [("running", None)]
    assert rows_of(alice) == {
        "job": 1, "hold": 1, "work_item": 1, "usage_entry": 0, "outbox_event": 0, "due_date": 0,
    }  # fmt: skip
    assert sql("SELECT state, error_code FROM work_item WHERE job_id = %s", [accepted.job_id]) == [
        ("waiting", "internal_error")
    ]
    leave_nothing_waiting(alice)


def test_of_many_at_once_a_wallet_covers_as_many_as_it_can(alice: Any) -> None:
    from billing.facade import InsufficientFunds, set_wallet
    from speech.contracts import TranscriptionOrder

    set_wallet(alice.id, currency="USD", balance=Decimal("0.0000003"), actor="test")
    taken, refused = list[Any](), list[Any]()

    def work() -> None:
        for _ in range(5):
            try:
                taken.append(accept(alice, TranscriptionOrder(audio_url="https://8.8.8.8/a.wav", engine="simulated")))
            except InsufficientFunds as error:
                refused.append(error)

    run_threads(*[work] * 4)
    assert (len(taken), len(refused)) == (3, 17)
    assert sql("SELECT held FROM wallet WHERE tenant_id = %s", [alice.id]) == [(Decimal("0.000000300"),)]
    assert rows_of(alice)["job"] == 3
    leave_nothing_waiting(alice)


def test_a_claimer_passes_over_a_lane_that_an_accept_is_adding_to(desk: Desk, alice: Any) -> None:
    added, looked = threading.Event(), threading.Event()
    desk.add(alice)
    desk.claims(1, finish=True)

    def take_order() -> None:
        from django.db import transaction

        from tenants.facade import tenant_context

        with tenant_context(alice.tenant), transaction.atomic():
            write(alice, executor=desk.executor)
            added.set()
            assert looked.wait(10)

    def look() -> None:
        assert added.wait(10)
        try:
            assert desk.claim() is None
        finally:
            looked.set()

    run_threads(take_order, look)
    assert desk.claim() is not None


def write(someone: Any, *, executor: str) -> None:
    """An accept whose first item belongs to this executor, in the caller's transaction."""
    from apikit.ids import new_id
    from billing.facade import quote_hold
    from dispatch.facade import Entry, NewItem, NewJob
    from speech import accepting

    job_id = new_id()
    job = NewJob(
        id=job_id, tenant_id=someone.id, livemode=True, kind="transcription", service_class="interactive",
        api_key_id=someone.caller.key_id, price_version=None, weight=100, deadline_s=3600, traceparent="",
    )  # fmt: skip
    quote = quote_hold(
        livemode=True, currency="USD", meter="audio_ms", engines=("simulated",), expected=None, tenant_id=someone.id,
        api_key_id=someone.caller.key_id,
    )  # fmt: skip
    entry, content = Entry(job, NewItem(step="prepare", executor=executor, cost_ms=1)), NO_CONTENT
    draft = accepting.Draft(entry, accepting.Content(content, {}), quote)
    written = accepting.accept(someone.caller, [draft], job_id=job_id, beside=accepting.Beside())
    assert isinstance(written, accepting.Written)


def leave_nothing_waiting(someone: Any) -> None:
    """No sweeper of another test finds it."""
    sql("DELETE FROM work_item WHERE tenant_id = %s", [someone.id])
    sql("UPDATE lane SET active = false WHERE tenant_id = %s", [someone.id])

"""Lists cost the same number of queries whether they hold one row or twenty."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from dispatch.facade import JobFilter
from speech import queries, services
from speech.contracts import TranscriptionOrder
from tenants.facade import tenant_context

MOST = 3


def _accept(someone: Any, number: int) -> None:
    order = TranscriptionOrder(audio_url="https://8.8.8.8/a.wav", engine="simulated")
    with tenant_context(someone.tenant):
        for _ in range(number):
            services.accept(someone.caller, order, idempotency_key=None)


@pytest.fixture
def busy(alice: Any) -> Any:
    """Alice with twenty jobs, which nobody works on; they go with the test."""
    _accept(alice, 20)
    yield alice
    with connections["owner"].cursor() as cursor:
        for table in ("work_item", "lane", "hold", "due_date", "outbox_event", "job"):
            cursor.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [alice.id])


def _queries(someone: Any, *, limit: int, state: str | None = None) -> list[str]:
    with tenant_context(someone.tenant), CaptureQueriesContext(connection) as captured:
        found = queries.list_transcriptions(someone.caller, limit=limit, wanted=JobFilter(state=state)).rows
    assert len(found) == (limit if state in (None, "queued") else 0)
    return [query["sql"] for query in captured.captured_queries if "set_config" not in query["sql"]]


def test_a_list_costs_a_fixed_number_of_queries(busy: Any) -> None:
    costs = {len(_queries(busy, limit=limit)) for limit in (1, 5, 20)}
    assert len(costs) == 1
    assert costs.pop() <= MOST
    assert len(_queries(busy, limit=20, state="queued")) <= MOST
    assert len(_queries(busy, limit=20, state="completed")) <= MOST


def test_one_transcription_costs_a_fixed_number_of_queries(busy: Any) -> None:
    with tenant_context(busy.tenant):
        job_id = queries.list_transcriptions(busy.caller, limit=1).rows[0].job.id
        with CaptureQueriesContext(connection) as captured:
            assert queries.find_transcription(busy.caller, job_id) is not None
    assert len([query for query in captured.captured_queries if "set_config" not in query["sql"]]) <= MOST


def test_choosing_the_tenant_costs_one_statement_and_only_when_it_changes(alice: Any, charlie: Any) -> None:
    with CaptureQueriesContext(connection) as captured:
        for someone in (alice, alice, charlie, alice):
            with tenant_context(someone.tenant), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                cursor.execute("SELECT 2")
    chosen = [query["sql"] for query in captured.captured_queries if "set_config" in query["sql"]]
    assert len(chosen) == 3

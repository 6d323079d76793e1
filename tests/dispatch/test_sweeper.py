"""The sweeper's work does not grow with the number of tenants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from tests.dispatch.conftest import Desk, sql

_LANES = """INSERT INTO lane (queue, tenant_id, livemode, active)
 SELECT %s, gen_random_uuid(), true, %s FROM generate_series(1, %s)"""
_JOBS = """INSERT INTO job (id, tenant_id, livemode, kind, state, service_class, deadline_at)
 SELECT gen_random_uuid(), tenant_id, true, 'transcription', 'running', 'interactive', now() + interval '1 day'
 FROM lane WHERE queue = %s"""
_ITEMS = """INSERT INTO work_item (job_id, tenant_id, lane_id, step, state, cost_ms, attempt, lease_token, lease_until,
  not_before)
 SELECT j.id, l.tenant_id, l.id, 'transcribe', %(state)s, 1, 1, gen_random_uuid(), now() - interval '1 second',
  now() - interval '1 second' FROM lane l JOIN job j ON j.tenant_id = l.tenant_id WHERE l.queue = %(queue)s"""


@pytest.fixture
def queue(desk: Desk) -> Iterator[str]:
    name = desk.queue()
    yield name
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM job WHERE tenant_id IN (SELECT tenant_id FROM lane WHERE queue = %s)", [name])


@pytest.mark.parametrize("state", ["idle", "queued", "leased", "waiting"])
def test_the_number_of_queries_is_the_same_at_3_and_at_300_tenants(queue: str, state: str) -> None:
    few = queries_of_a_tick(queue, tenants=3, state=state)
    many = queries_of_a_tick(queue, tenants=300, state=state)
    assert many == few


def test_everything_mended_can_be_claimed_again(desk: Desk, queue: str) -> None:
    populate(queue, tenants=20, state="leased")
    tick()
    assert len(desk.claims(40)) == 20


def queries_of_a_tick(queue: str, *, tenants: int, state: str) -> int:
    """How many statements one round takes when so many tenants have an item in this state."""
    tick()  # what others left
    populate(queue, tenants=tenants, state=state)
    count = tick()
    of_queue = "FROM lane l WHERE l.id = w.lane_id AND l.queue = %s"
    assert sql(f"SELECT 1 FROM work_item w WHERE state <> 'queued' AND EXISTS (SELECT 1 {of_queue})", [queue]) == []
    sql(f"DELETE FROM work_item w WHERE EXISTS (SELECT 1 {of_queue})", [queue])
    sql("UPDATE lane SET active = false, queue = queue || %s WHERE queue = %s", [uuid4().hex[:6], queue])
    return count


def tick() -> int:
    """One whole round of a fresh sweeper; how many statements it took."""
    from config.wiring import make_sweeper

    with CaptureQueriesContext(connections["system"]) as captured:
        make_sweeper().tick()
    return len(captured)


def populate(queue: str, *, tenants: int, state: str) -> Any:
    """Rows as such tenants would have them; nobody needs their schemas."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(_LANES, [queue, state == "queued", tenants])
        if state != "idle":
            cursor.execute(_JOBS, [queue])
            cursor.execute(_ITEMS, {"queue": queue, "state": state})

"""Where a waiting job stands, and when it is told to start: only the tenant's own jobs count, others only as time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.dispatch.conftest import Desk, sql


@pytest.fixture
def hosts(desk: Desk) -> Iterator[Any]:
    """Says that worker processes with so many slots each serve the desk's executor."""

    def serve(*slots: int, alive_s: int = 60) -> None:
        for count in slots:
            sql(
                "INSERT INTO executor_host (executor, host_id, slots, alive_until)"
                " VALUES (%s, %s, %s, now() + %s * interval '1 second')",
                [desk.executor, uuid4(), count, alive_s],
            )

    yield serve
    sql("DELETE FROM executor_host WHERE executor = %s", [desk.executor])


NOISE_MS = 100  # between the estimate and the look at the clock


def _place(someone: Any, job_id: UUID) -> Any:
    from dispatch.facade import place_of
    from tenants.facade import tenant_context

    with tenant_context(someone.tenant):
        return place_of(job_id)


def _wait_ms(someone: Any, job_id: UUID) -> int:
    """The estimate as milliseconds from now on, by the database's clock."""
    place = _place(someone, job_id)
    assert place.estimated_start_at is not None
    now: datetime = sql("SELECT now()")[0][0]
    return round((place.estimated_start_at - now).total_seconds() * 1000)


def _set_weight(desk: Desk, someone: Any, *, weight: int) -> None:
    sql("UPDATE lane SET weight = %s WHERE queue = %s AND tenant_id = %s", [weight, desk.queue(), someone.id])


def _starts_after_ms(desk: Desk, job_id: UUID, *, slots: int) -> int:
    """When the job's first item really starts: every slot takes the next item as soon as it is free."""
    free_ms = [0] * slots
    while True:
        slot = free_ms.index(min(free_ms))
        lease = desk.claim(slots=slots * 1000)  # caps are not what is looked at here
        if lease.job_id == job_id:
            return free_ms[slot]
        free_ms[slot] += lease.cost_ms
        desk.finish(lease)


def test_jobs_of_a_tenant_are_counted_in_the_order_they_will_run(desk: Desk, alice: Any) -> None:
    jobs = [desk.add(alice) for _ in range(4)]
    assert [_place(alice, job).position for job in jobs] == [1, 2, 3, 4]
    desk.claims(2, finish=True)
    assert [_place(alice, job).position for job in jobs[2:]] == [1, 2]


def test_a_job_counts_once_however_many_segments_it_has_ahead(desk: Desk, alice: Any) -> None:
    first, second = desk.add(alice, items=50), desk.add(alice, items=50)
    desk.claims(10, finish=True)
    short = desk.add(alice)
    assert [_place(alice, job).position for job in (short, first, second)] == [1, 2, 3]
    sql("UPDATE work_item SET turn = 1000 WHERE job_id = %s", [short])  # behind all items of both
    assert _place(alice, short).position == 3


def test_a_running_job_whose_segments_wait_has_a_place(desk: Desk, alice: Any) -> None:
    job = desk.add(alice, items=3)
    desk.claims(1)
    assert _place(alice, job).position == 1


def test_a_job_of_which_nothing_waits_has_no_place(desk: Desk, alice: Any) -> None:
    job = desk.add(alice)
    desk.claims(1)
    assert _place(alice, job) is None


def test_another_tenant_has_no_place_for_it(desk: Desk, alice: Any, charlie: Any) -> None:
    job = desk.add(alice)
    assert _place(alice, job) is not None
    assert _place(charlie, job) is None


def test_other_tenants_do_not_count_in_the_position(desk: Desk, alice: Any, charlie: Any) -> None:
    desk.add(charlie, items=50)
    assert _place(alice, desk.add(alice)).position == 1


def test_a_thousand_ahead_is_as_far_as_it_counts(desk: Desk, hosts: Any, alice: Any) -> None:
    hosts(1)
    jobs = [desk.add(alice) for _ in range(3)]
    assert _place(alice, jobs[2]).position == 3
    sql(
        "INSERT INTO work_item (job_id, tenant_id, lane_id, step, cost_ms, turn)"
        " SELECT gen_random_uuid(), tenant_id, id, 'transcribe', 100, -1 FROM lane, generate_series(1, 1500)"
        " WHERE queue = %s",
        [desk.queue()],
    )
    place = _place(alice, jobs[2])
    assert (place.position, place.estimated_start_at) == (1000, None)


def test_without_a_live_worker_there_is_no_estimate(desk: Desk, hosts: Any, alice: Any) -> None:
    job = desk.add(alice)
    hosts(2, alive_s=-1)
    assert _place(alice, job).estimated_start_at is None
    hosts(2)
    assert _place(alice, job).estimated_start_at is not None


@pytest.mark.parametrize("slots", [1, 2, 4])
def test_alone_the_estimate_is_the_work_ahead_over_the_slots(desk: Desk, hosts: Any, alice: Any, slots: int) -> None:
    hosts(slots)
    for _ in range(12):
        desk.add(alice, cost_ms=1000)
    last = desk.add(alice, cost_ms=1000)
    told_ms = _wait_ms(alice, last)
    assert abs(told_ms - _starts_after_ms(desk, last, slots=slots)) <= 1000 + NOISE_MS
    assert abs(told_ms - 12_000 / slots) <= NOISE_MS


@pytest.mark.parametrize("weight", [100, 50, 200])
@pytest.mark.parametrize("slots", [1, 4])
def test_another_tenants_backlog_is_waited_for_by_fair_shares_only(
    desk: Desk, hosts: Any, alice: Any, charlie: Any, new_tenant: Any, slots: int, weight: int
) -> None:
    hosts(slots)
    for someone in (charlie, new_tenant("dora")):  # much more than their share, in two lanes so that no cap binds
        desk.add(someone, items=200, cost_ms=500)
    jobs = [desk.add(alice, cost_ms=500) for _ in range(10)]
    _set_weight(desk, alice, weight=weight)
    told_ms = _wait_ms(alice, jobs[-1])
    assert abs(told_ms - _starts_after_ms(desk, jobs[-1], slots=slots)) <= 500 + NOISE_MS


def test_of_a_short_backlog_of_another_only_what_is_there_is_waited_for(
    desk: Desk, hosts: Any, alice: Any, charlie: Any
) -> None:
    hosts(1)
    desk.add(charlie, items=2, cost_ms=1000)
    jobs = [desk.add(alice, cost_ms=1000) for _ in range(11)]
    told_ms = _wait_ms(alice, jobs[-1])
    assert abs(told_ms - 12_000) <= 1000
    assert abs(told_ms - _starts_after_ms(desk, jobs[-1], slots=1)) <= 1000 + NOISE_MS


def test_what_runs_now_is_half_done(desk: Desk, hosts: Any, alice: Any, charlie: Any) -> None:
    hosts(2)
    desk.add(charlie, items=2, cost_ms=1000)
    desk.claims(2)
    assert abs(_wait_ms(alice, desk.add(alice)) - 500) <= NOISE_MS


def test_a_weak_lane_gets_half_of_the_slots_when_only_one_other_has_work(
    desk: Desk, hosts: Any, alice: Any, charlie: Any
) -> None:
    hosts(4)
    desk.add(charlie, items=200, cost_ms=1000)
    jobs = [desk.add(alice, cost_ms=1000) for _ in range(11)]
    _set_weight(desk, alice, weight=1)
    assert abs(_wait_ms(alice, jobs[-1]) - 5_000) <= 1000


def test_batch_work_waits_for_the_interactive_work_there_is(desk: Desk, hosts: Any, alice: Any) -> None:
    hosts(1)
    jobs = [desk.add(alice, cost_ms=1000) for _ in range(3)]
    sql("UPDATE lane SET queue = %s WHERE queue = %s", [desk.queue("batch"), desk.queue()])
    assert abs(_wait_ms(alice, jobs[-1]) - 2_000) <= NOISE_MS
    desk.add(alice, items=5, cost_ms=1000)
    assert abs(_wait_ms(alice, jobs[-1]) - 7_000) <= NOISE_MS


def test_the_app_role_cannot_ask_for_another_tenants_lane(desk: Desk, hosts: Any, alice: Any, charlie: Any) -> None:
    from django.db import connection

    from tenants.facade import tenant_context

    hosts(1)
    desk.add(alice, items=3, cost_ms=1000)
    lane = sql("SELECT id FROM lane WHERE queue = %s", [desk.queue()])[0][0]
    told = []
    for someone in (alice, charlie):
        with tenant_context(someone.tenant), connection.cursor() as cursor:
            cursor.execute("SELECT public.parlance_expected_wait_ms(%s, 1000)", [lane])
            told.append(cursor.fetchone()[0])
    assert told == [1000, None]

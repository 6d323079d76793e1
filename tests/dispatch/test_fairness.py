"""Who comes next: tenants by virtual time, a tenant's jobs in turn, classes by share."""

from __future__ import annotations

from collections import Counter
from typing import Any

from dispatch.slots import BATCH_SHARE, Slots
from tests.dispatch.conftest import Desk


def test_a_tenant_takes_half_of_the_slots_while_another_waits(desk: Desk, alice: Any, charlie: Any) -> None:
    desk.add(alice, items=20)
    desk.add(charlie, items=20)
    taken = Counter(lease.tenant_id for lease in desk.claims(40, slots=8))
    assert taken == {alice.id: 4, charlie.id: 4}


def test_a_tenant_alone_takes_every_slot(desk: Desk, alice: Any) -> None:
    desk.add(alice, items=20)
    assert len(desk.claims(8, slots=8)) == 8


def test_a_late_tenant_finds_slots_although_another_has_much_work(desk: Desk, alice: Any, charlie: Any) -> None:
    desk.add(alice, items=20)
    desk.claims(8, slots=8)
    desk.add(charlie, items=2)
    assert [lease.tenant_id for lease in desk.claims(2, slots=8)] == [charlie.id] * 2


def test_having_been_idle_gives_no_credit(desk: Desk, alice: Any, charlie: Any) -> None:
    desk.add(charlie)
    desk.add(alice, items=100)
    desk.claims(60, finish=True)
    desk.add(charlie, items=100)
    taken = Counter(lease.tenant_id for lease in desk.claims(40, finish=True))
    assert abs(taken[alice.id] - taken[charlie.id]) <= 2


def test_costly_items_count_for_more(desk: Desk, alice: Any, charlie: Any) -> None:
    desk.add(alice, items=100, cost_ms=300)
    desk.add(charlie, items=100, cost_ms=100)
    taken = Counter(lease.tenant_id for lease in desk.claims(80, finish=True))
    assert taken[charlie.id] / taken[alice.id] == 3


def test_a_short_job_is_not_behind_a_long_one_of_the_same_tenant(desk: Desk, alice: Any) -> None:
    long = desk.add(alice, items=1000)
    desk.claims(10, finish=True)
    short = desk.add(alice)
    assert short in {lease.job_id for lease in desk.claims(2, finish=True)}
    assert desk.claims(1)[0].job_id == long


def test_jobs_of_a_tenant_take_turns(desk: Desk, alice: Any) -> None:
    jobs = [desk.add(alice, items=30) for _ in range(3)]
    taken = Counter(lease.job_id for lease in desk.claims(30, finish=True))
    assert [taken[job] for job in jobs] == [10, 10, 10]


def test_batch_keeps_a_fifth_under_a_flood_of_interactive_work() -> None:
    slots, given = Slots(2), Counter[str]()
    for _ in range(2_000):
        service_class = slots.classes(1)[0]
        slots.give(service_class, 100)
        given[service_class] += 1
    assert BATCH_SHARE <= given["batch"] / given.total() <= BATCH_SHARE + 0.03


def test_the_last_free_slot_refuses_batch_where_there_are_several() -> None:
    slots = Slots(2)
    with slots.take() as first, slots.take() as second, slots.take() as third:
        assert third is None
        assert first is not None
        assert second is not None
        assert "batch" in slots.classes(first)
        assert slots.classes(second) == ("interactive",)
    assert "batch" in Slots(1).classes(0)

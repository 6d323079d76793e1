"""Threads with real connections against one database: nothing is lost, doubled or written by the wrong hand."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

import pytest

from tests.dispatch.conftest import Desk, run_threads, sql

ROUNDS = 2_000
STUCK_S = 5.0  # nobody sweeps here: what has not been claimed by then never will be


def test_no_item_is_left_in_a_lane_that_is_taken_out_of_the_order_meanwhile(desk: Desk, alice: Any) -> None:
    assert lost_in_races(desk, alice, rounds=ROUNDS) == 0


def test_without_its_lock_a_deactivation_would_lose_items(
    desk: Desk, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatch.claims._tidy", deactivate_without_lock)
    assert lost_while_an_accept_is_open(desk, alice)


def test_a_claimer_passes_over_a_lane_that_an_accept_is_adding_to(desk: Desk, alice: Any) -> None:
    assert not lost_while_an_accept_is_open(desk, alice)


def test_of_two_last_segments_exactly_one_goes_on_to_merge(desk: Desk, alice: Any) -> None:
    from speech.flow import run

    for _ in range(25):
        job_id = desk.add(alice, items=2)
        ask_for(alice, job_id)
        leases, together, followers = desk.claims(2), threading.Barrier(2), list[Any]()

        def last(lease: Any, together: threading.Barrier = together, followers: list[Any] = followers) -> None:
            together.wait()
            followers.extend(run(lease))

        run_threads(*(lambda lease=lease: last(lease) for lease in leases))
        assert [each.step for each in followers] == ["merge"]
        assert sql("SELECT step, state FROM work_item WHERE job_id = %s", [job_id]) == [("merge", "leased")]


def test_nothing_of_a_lost_lease_is_written(desk: Desk, alice: Any) -> None:
    from dispatch.facade import LeaseLost
    from speech.flow import run

    job_id = desk.add(alice)
    ask_for(alice, job_id)
    [zombie] = desk.claims(1)
    expire(zombie)
    [second] = desk.claims(1)
    assert (second.item_id, second.attempt) == (zombie.item_id, 2)
    with pytest.raises(LeaseLost):
        run(zombie)
    assert sql("SELECT segments_left FROM job WHERE id = %s", [job_id]) == [(1,)]
    assert [each.step for each in run(second)] == ["merge"]


def test_a_lost_lease_finishes_no_job(desk: Desk, alice: Any) -> None:
    from billing.facade import place_hold
    from dispatch.facade import LeaseLost
    from speech.flow import run
    from tenants.facade import tenant_context

    job_id = desk.add(alice)
    ask_for(alice, job_id)
    with tenant_context(alice.tenant):
        place_hold(job_id, tenant_id=alice.id, livemode=True, currency="USD", meter="audio_ms", engines=["simulated"],
                   expected=1000)  # fmt: skip
    [zombie] = run(desk.claims(1)[0])
    sql("UPDATE work_item SET lease_token = gen_random_uuid() WHERE id = %s", [zombie.item_id])
    with pytest.raises(LeaseLost):
        run(zombie)
    assert sql("SELECT state FROM job WHERE id = %s", [job_id]) == [("running",)]
    assert sql("SELECT count(*) FROM usage_entry WHERE subject_id = %s", [job_id]) == [(0,)]
    assert sql("SELECT count(*) FROM outbox_event WHERE subject_id = %s", [job_id]) == [(0,)]


@pytest.mark.parametrize("kind", ["gives up", "fails on its last attempt"])
def test_a_lost_lease_fails_no_job(desk: Desk, alice: Any, kind: str) -> None:
    from django.conf import settings

    from dispatch.facade import GiveUp, JobKind, RetryLater, Worker

    failed: list[str] = []

    def give_up(lease: Any) -> list[Any]:
        expire(lease)
        assert desk.claims(1)[0].item_id == lease.item_id
        raise GiveUp("bad", "Bad.") if kind == "gives up" else RetryLater("late", "Late.")

    def note(job_id: Any, tenant_id: Any, code: str, detail: str, letter: Any) -> None:
        failed.append(code)

    job_id = desk.add(alice)
    sql("UPDATE work_item SET attempt = %s WHERE job_id = %s", [settings.MAX_ATTEMPTS - 1, job_id])
    worker = Worker({"transcription": JobKind(run=give_up, fail=note)}, slots={}, stop=threading.Event())
    worker.run(desk.claims(1)[0])
    assert failed == []
    assert sql("SELECT count(*) FROM dead_letter WHERE job_id = %s", [job_id]) == [(0,)]


def test_eight_claimers_never_share_an_item(desk: Desk, alice: Any, charlie: Any) -> None:
    for someone in (alice, charlie):
        for _ in range(4):
            desk.add(someone, items=50)
    taken: list[int] = []

    def work() -> None:
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < 0.3:
            if (lease := desk.claim()) is not None:
                idle_since = time.monotonic()
                taken.append(lease.item_id)

    run_threads(*[work] * 8)
    assert len(taken) == 400
    assert max(Counter(taken).values()) == 1


def lost_in_races(desk: Desk, someone: Any, *, rounds: int) -> int:
    """Items that nobody can claim after so many accepts into a lane that is emptied all the time."""
    claimed, accepted = Counter[int](), threading.Event()

    def accept() -> None:
        for _ in range(rounds // 2):
            desk.add(someone)

    def accept_all() -> None:
        try:
            run_threads(accept, accept)
        finally:
            accepted.set()

    def work() -> None:
        idle_since = time.monotonic()
        while claimed.total() < rounds and time.monotonic() - idle_since < STUCK_S:
            if (lease := desk.claim()) is not None:
                claimed[lease.item_id] += 1
                desk.finish(lease)
            if lease is not None or not accepted.is_set():
                idle_since = time.monotonic()

    run_threads(accept_all, work, work)
    return rounds - len(claimed)


def lost_while_an_accept_is_open(desk: Desk, someone: Any) -> bool:
    """Whether an item is out of reach that was added to an active lane while a claimer found the lane empty."""
    added, looked = threading.Event(), threading.Event()
    desk.add(someone)
    desk.claims(1, finish=True)

    def accept() -> None:
        from django.db import transaction

        from dispatch.facade import NewItem, enqueue
        from tenants.facade import tenant_context

        with tenant_context(someone.tenant), transaction.atomic():
            enqueue(desk.add_job(someone, segments=1), [NewItem(step="merge", executor=desk.executor, cost_ms=1)])
            added.set()
            assert looked.wait(10)

    def look() -> None:
        assert added.wait(10)
        try:
            assert desk.claim() is None
        finally:
            looked.set()

    run_threads(accept, look)
    return desk.claim() is None


def deactivate_without_lock(lane: int) -> bool:
    """The planted mistake."""
    from dispatch.claims import _DEACTIVATE

    sql(_DEACTIVATE, [lane])
    return True


def expire(lease: Any) -> None:
    """Let a lease run out and be swept."""
    from config.wiring import make_sweeper

    sql("UPDATE work_item SET lease_until = now() - interval '1 second' WHERE id = %s", [lease.item_id])
    if lease.attempt < 4:
        make_sweeper().tick()
    else:  # the sweeper would give it up; an operator's replay puts it back
        sql("UPDATE work_item SET state = 'queued', lease_token = NULL WHERE id = %s", [lease.item_id])


def ask_for(someone: Any, job_id: Any) -> None:
    """The request of a job whose audio is silent, so that no engine is called."""
    from speech.models import TranscriptionRequest
    from tenants.facade import tenant_context

    with tenant_context(someone.tenant):
        TranscriptionRequest(job_id=job_id, livemode=True, warnings=[{"code": "no_speech", "detail": "Silent."}]).save(
            force_insert=True
        )

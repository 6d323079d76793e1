"""`kill -9` while jobs share one result: every follower still gets it, and pays for it once."""

from __future__ import annotations

import pytest

from tests.faults.client import Customer
from tests.faults.harness import WORKERS, Chaos
from tests.faults.invariants import check_invariants, settle

pytestmark = pytest.mark.timeout(400)  # a busy machine may take a minute to start the stack
POINTS = ("follow.uncommitted", "follow.committed", "takeover.uncommitted")


def test_a_kill_where_results_are_shared_loses_nobody(chaos: Chaos) -> None:
    customer = chaos.customer("shared")
    for number, point in enumerate(POINTS):
        chaos.arm(point, services=WORKERS)
        _submit_alike(customer, jobs=3, duration_ms=7_000 + 1_000 * number)
        chaos.await_fired(point, services=WORKERS)
    settle(chaos, customer)
    check_invariants(chaos, customer)
    assert [_reused(customer, number) for number in range(len(POINTS))] == [2, 2, 2]


def _submit_alike(customer: Customer, *, jobs: int, duration_ms: int) -> None:
    for _ in range(jobs):
        customer.submit(duration_ms, reuse="auto", simulate="slow:2000")


def _reused(customer: Customer, number: int) -> int:
    """How many of one round's three jobs took over the result of another."""
    jobs = customer.submitted[3 * number : 3 * number + 3]
    return sum(customer.get(job)["reused_from"] is not None for job in jobs)

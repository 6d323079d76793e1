"""`kill -9` around a provider's calls: no job is lost or billed twice, and what it told us of is never paid again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.client import Customer
from tests.faults.harness import WORKERS, Chaos, tenant_uuid
from tests.faults.invariants import check_invariants, settle
from tests.faults.test_kill_matrix import die_at_each

pytestmark = pytest.mark.timeout(400)  # a busy machine may take a minute to start the stack
# Before these nothing was written down of the provider's answer; after those everything was.
UNKNOWN = ("attempt.begun", "attempt.answered", "attempt.uncommitted")
KNOWN = ("attempt.waits", "attempt.resumed", "checkpoint.uncommitted")


def test_a_kill_around_a_providers_call_pays_once_for_what_was_written_down(chaos: Chaos) -> None:
    customer = chaos.customer("provider")
    cloud = {"engine": "simulated-cloud", "simulate": "cloud:poll:300"}
    die_at_each((*UNKNOWN, *KNOWN), chaos=chaos, customer=customer, services=WORKERS, **cloud)
    kill_while_they_wait(chaos, customer)
    die_at_each(
        ("callback.taken",), chaos=chaos, customer=customer, services=(), engine="simulated-cloud",
        simulate="cloud:call:500",
    )  # fmt: skip
    settle(chaos, customer)
    check_invariants(chaos, customer)
    outcomes = [outcome for _, outcome, _ in attempts(chaos, customer)]
    assert set(outcomes) <= {"done", "interrupted"}
    assert outcomes.count("done") == len(customer.submitted)
    assert len({job for job, outcome, _ in attempts(chaos, customer) if outcome == "done"}) == len(customer.submitted)
    # An id that was written down is never given up for another call.
    assert [row for row in attempts(chaos, customer) if row[1] == "interrupted" and row[2]] == []
    assert booked(chaos, customer) == len(customer.submitted)


def kill_while_they_wait(chaos: Chaos, customer: Customer) -> None:
    """A worker dies while jobs are at the provider, and so does the scheduler that would wake them."""
    for _ in range(4):
        customer.submit(1_000, engine="simulated-cloud", simulate="cloud:poll:3000")
    chaos.await_true(lambda: waiting(chaos, customer) == 4, "four jobs at the provider")
    for service in (WORKERS[0], "scheduler"):
        chaos.kill(service)


def waiting(chaos: Chaos, customer: Customer) -> int:
    """Items that wait for a provider."""
    sql = "SELECT count(*) FROM work_item WHERE tenant_id = %s AND state = 'waiting' AND call IS NOT NULL"
    with chaos.database() as rows:
        return int(rows.execute(sql, [tenant_uuid(customer.id)]).fetchone()[0])  # type: ignore[index]


def attempts(chaos: Chaos, customer: Customer) -> list[tuple[Any, ...]]:
    """Job, outcome, and whether the provider's id was written down, of every call."""
    sql = "SELECT job_id, outcome, external_id <> '' FROM engine_attempt WHERE tenant_id = %s"
    with chaos.database() as rows:
        return rows.execute(sql, [tenant_uuid(customer.id)]).fetchall()


def booked(chaos: Chaos, customer: Customer) -> int:
    """Calls whose cost is in the ledger."""
    sql = "SELECT count(DISTINCT (subject_id, sequence)) FROM usage_entry WHERE tenant_id = %s AND kind = 'cost'"
    with chaos.database() as rows:
        return int(rows.execute(sql, [tenant_uuid(customer.id)]).fetchone()[0])  # type: ignore[index]

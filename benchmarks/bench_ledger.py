"""What settling one finished job costs, as jobs settle today: one by one, each in the transaction of its finish."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from benchmarks import common

GOAL = (
    "one statement beside the finish, no commit of its own; a second finish adds nothing (bulk and close: bench_close)"
)
JOBS = 1_000


def _repeated(count: int, *, stack: common.Stack, do: Callable[[int], None]) -> dict[str, float]:
    """Microseconds per call: wall clock, CPU of this process, CPU of PostgreSQL."""
    postgres_ms, cpu_s, begun_s = common.tree_cpu_ms(stack.postgres_pid), time.process_time(), time.perf_counter()
    for number in range(count):
        do(number)
    return {
        "wall_us": round((time.perf_counter() - begun_s) * 1e6 / count),
        "application_cpu_us": round((time.process_time() - cpu_s) * 1e6 / count),
        "postgres_cpu_us": round((common.tree_cpu_ms(stack.postgres_pid) - postgres_ms) * 1e3 / count),
    }


def _statements(do: Callable[[], None]) -> int:
    from django.db import connection

    seen: list[str] = []

    def count(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        do()
    return len(seen)


class Jobs:
    """A tenant's jobs, each with a hold."""

    def __init__(self) -> None:
        from datetime import UTC, datetime

        from apikit.ids import new_id
        from tenants.facade import authenticate

        self.caller = authenticate(common.live_key(), address="127.0.0.1")
        self.ids = [new_id() for _ in range(JOBS + 2)]
        self.created_at = datetime.now(UTC)

    def hold(self, number: int) -> None:
        """As accept does, with the length measured already."""
        from django.db import transaction

        from billing.facade import place_hold

        with transaction.atomic():
            place_hold(
                self.ids[number], tenant_id=self.caller.tenant_id, livemode=True, currency="USD", meter="audio_ms",
                engines=["simulated"], expected=60_000,
            )  # fmt: skip

    def settle(self, number: int) -> None:
        """As finish does."""
        from django.db import transaction

        with transaction.atomic():
            self.settle_in_transaction(self.ids[number])

    def settle_in_transaction(self, job_id: UUID) -> None:
        from billing.facade import MeasuredLine, settle

        line = MeasuredLine(engine="simulated", model="", mode="batch", meter="audio_ms", quantity=60_000)
        cost = settle(
            job_id, tenant_id=self.caller.tenant_id, livemode=True, api_key_id=self.caller.key_id,
            subject_created_at=self.created_at, lines=[line],
        )  # fmt: skip
        assert cost.amount > 0


def measure() -> dict[str, Any]:
    """1,000 jobs: hold, settle each in a transaction of its own, then all once more, which must change nothing."""
    from contextlib import ExitStack

    with common.stack() as stack, ExitStack() as inside:
        from django.db import connection, transaction

        from tenants.facade import tenant_context

        jobs = Jobs()
        inside.enter_context(tenant_context(jobs.caller.tenant))
        hold = _repeated(JOBS, stack=stack, do=jobs.hold)
        settle = _repeated(JOBS, stack=stack, do=jobs.settle)
        again = _repeated(JOBS, stack=stack, do=jobs.settle)
        jobs.hold(JOBS)
        statements = _statements(lambda: jobs.settle(JOBS))
        jobs.hold(JOBS + 1)
        with transaction.atomic():
            within = _repeated(1, stack=stack, do=lambda _: jobs.settle_in_transaction(jobs.ids[JOBS + 1]))
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM usage_entry")
            entries = cursor.fetchone()[0]
    return {
        "settle": settle,
        "settle_again": again,
        "hold": hold,
        "settle_without_commit_wall_us": within["wall_us"],
        "settle_statements": statements,
        "settled_per_s": round(1e6 / settle["wall_us"]),
        "jobs": JOBS + 2,
        "entries": entries,
        "goal": GOAL,
        "reached": entries == JOBS + 2 and statements == 1,
    }


if __name__ == "__main__":
    common.run("ledger", measure, limit_s=120)

"""Jobs and items in queues of their own: no worker serves them, and no other test sees them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest


def run_threads(*works: Callable[[], object]) -> None:
    """Run all at once, each with database connections of its own; raises the first failure."""
    from django.db import connections

    failures: list[BaseException] = []

    def closing(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=closing, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class Desk:
    """Adds, claims and finishes items of one executor as the product does."""

    def __init__(self) -> None:
        self.executor = f"test:{uuid4().hex[:12]}"

    def queue(self, service_class: Any = "interactive") -> str:
        from dispatch.facade import queue_name

        return queue_name(self.executor, service_class)

    def add(self, someone: Any, *, items: int = 1, cost_ms: int = 100, segment_ms: int = 1000) -> UUID:
        """A running job with so many segments waiting; its id."""
        from django.db import transaction

        from dispatch.facade import NewItem, enqueue
        from tenants.facade import tenant_context

        waiting = [
            NewItem(step="transcribe", executor=self.executor, cost_ms=cost_ms, ordinal=number,
                    start_ms=number * segment_ms, end_ms=(number + 1) * segment_ms)
            for number in range(items)
        ]  # fmt: skip
        with tenant_context(someone.tenant), transaction.atomic():
            job = self.add_job(someone, segments=items)
            enqueue(job, waiting)
        return job.id

    def add_job(self, someone: Any, *, segments: int) -> Any:
        """Only the job, inside the caller's transaction."""
        from django.db import connection

        from apikit.ids import new_id
        from dispatch.facade import NewJob
        from dispatch.queue import add_job

        job = NewJob(
            id=new_id(), tenant_id=someone.id, livemode=True, kind="transcription", service_class="interactive",
            api_key_id=someone.caller.key_id, price_version=1, weight=100, deadline_s=3600, traceparent="",
        )  # fmt: skip
        add_job(job)
        sql = """UPDATE job SET state = 'running', segments_total = %s, segments_left = %s, engine = 'simulated',
          measured_ms = 1000 WHERE id = %s"""
        with connection.cursor() as cursor:
            cursor.execute(sql, [segments, segments, job.id])
        return job

    def claim(self, *, slots: int = 1000) -> Any:
        """A lease, or None."""
        from dispatch.facade import claim

        return claim(self.queue(), slots=slots)

    def claims(self, count: int, *, slots: int = 1000, finish: bool = False) -> list[Any]:
        """Up to so many leases, one after the other."""
        taken: list[Any] = []
        while len(taken) < count and (lease := self.claim(slots=slots)) is not None:
            taken.append(lease)
            if finish:
                self.finish(lease)
        return taken

    def finish(self, lease: Any) -> None:
        """The item is done."""
        from dispatch.jobs import remove
        from tenants.facade import tenant_context, tenant_ref

        with tenant_context(tenant_ref(lease.tenant_id)):
            remove(lease)


def sql(statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement as the system; its rows, if it has any."""
    from django.db import connections

    with connections["system"].cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture
def desk(migrated: None) -> Iterator[Desk]:
    made = Desk()
    yield made
    # What a test has left would be swept together with other tests' items.
    sql("DELETE FROM work_item w USING lane l WHERE l.id = w.lane_id AND l.queue LIKE %s", [f"{made.executor}%"])
    sql("UPDATE lane SET active = false WHERE queue LIKE %s", [f"{made.executor}%"])

"""Jobs on the simulated provider, worked on in this process step by step: nothing happens that a test did not ask for.

No stack serves this database, so every claim, poll and callback is made here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from tests.api.media import tone
from tests.dispatch.conftest import sql

CLOUD = "cloud:simulated:local"
EXECUTORS = ("media", CLOUD, "local:simulated", "cloud:openai:global")
LONG_MS = 130_000  # the simulated provider takes a minute at once


@dataclass
class CloudJob:
    """A job of somebody's, and hands to work on it."""

    someone: Any
    id: UUID
    caller: Any

    def row(self) -> dict[str, Any]:
        """The resource, as GET shows it."""
        from speech import queries, resources
        from tenants.facade import tenant_context

        with tenant_context(self.someone.tenant):
            found = queries.find_transcription(self.caller, self.id)
            assert found is not None
            return resources.transcription(found.job, found.request, cost=found.cost, transcript=found.transcript)

    def route(self, *engines: str, **policy: Any) -> None:
        """The engines that are to be tried, in this order, and what the policy says; after `prepare`."""
        from django.db import connection

        from tenants.facade import tenant_context

        with tenant_context(self.someone.tenant), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE transcription_request SET routing = routing || %s::jsonb WHERE job_id = %s",
                [json.dumps({"engine": engines[0], "engines": engines, "policy": policy}), self.id],
            )
        sql("UPDATE job SET engine = %s WHERE id = %s", [engines[0], self.id])

    def ask(self, **options: str) -> None:
        """Options of the request are others from now on."""
        from django.db import connection

        from tenants.facade import tenant_context

        with tenant_context(self.someone.tenant), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE transcription_request SET options = options || %s::jsonb WHERE job_id = %s",
                [json.dumps(options), self.id],
            )

    def attempts(self) -> list[tuple[Any, ...]]:
        """Engine, outcome, and whether the provider's id is known, of each call in its order."""
        return sql(
            """SELECT engine, outcome, external_id <> '' FROM engine_attempt WHERE job_id = %s ORDER BY number""",
            [self.id],
        )

    def external_ids(self) -> list[tuple[Any, ...]]:
        """The providers' own ids of the job's calls."""
        return sql("SELECT external_id FROM engine_attempt WHERE job_id = %s ORDER BY number", [self.id])

    def items(self) -> list[tuple[Any, ...]]:
        """Step and state of what is left to do."""
        return sql("SELECT step, state FROM work_item WHERE job_id = %s ORDER BY start_ms, step", [self.id])

    def entries(self, kind: str) -> list[tuple[Any, ...]]:
        """Engine, meter, quantity and amount in the ledger."""
        return sql(
            """SELECT engine, meter, raw_quantity, amount FROM usage_entry WHERE subject_id = %s AND kind = %s
             ORDER BY engine, sequence""",
            [self.id, kind],
        )

    def cancel(self) -> None:
        from speech import ending
        from tenants.facade import tenant_context

        with tenant_context(self.someone.tenant):
            ending.ENDS.cancel(self.id)

    def delete(self) -> None:
        from dispatch.facade import get_job
        from speech import ending
        from tenants.facade import tenant_context

        with tenant_context(self.someone.tenant):
            row = get_job(self.id)
            assert row is not None
            ending.ENDS.delete(row)

    def age(self, **columns: str) -> None:
        """Set columns of the job's calls, each to an SQL expression."""
        from django.db import connections

        with connections["owner"].cursor() as cursor:
            for name, value in columns.items():
                cursor.execute(f"UPDATE engine_attempt SET {name} = {value} WHERE job_id = %s", [self.id])

    def callback(self, number: int = 1) -> Any:
        """Where the provider of a call brings its result."""
        from dispatch.facade import Attempt
        from speech.callbacks import callback_of

        return callback_of(self.someone.id, Attempt(self.id, number, "simulated-cloud"))

    def raw(self) -> list[bytes]:
        """The provider's own answers that are kept."""
        from speech.objects import job_prefix
        from storage.facade import store

        keys = [found.key for found in store().list_prefix(job_prefix(self.someone.id, self.id))]
        return [store().read_bytes(key) for key in sorted(keys) if "/raw/" in key]

    def bring(self, *, status: str = "heard", number: int = 1, secret: str | None = None) -> str:
        """The provider's message, as it comes in."""
        from speech.callbacks import place_of
        from speech.delivering import deliver
        from speech.engines.simulated_cloud import PROOF_HEADER

        callback = self.callback(number)
        place = place_of(callback.url.rpartition("/")[2])
        assert place is not None
        [(external_id,)] = sql(
            "SELECT external_id FROM engine_attempt WHERE job_id = %s AND number = %s", [self.id, number]
        )
        body = json.dumps({"id": external_id, "status": status}).encode()
        return deliver(place, headers={PROOF_HEADER: secret or callback.secret}, body=body)


class Hands:
    """Accepts jobs and works on them."""

    def __init__(self, someone: Any) -> None:
        from dispatch.facade import Worker
        from speech.kinds import JOB_KINDS

        self.someone = someone
        self._worker = Worker(JOB_KINDS, slots={}, stop=threading.Event())

    def submit(
        self, simulate: str, *, ms: int = 2_000, livemode: bool = True, engine: str = "simulated-cloud", **options: Any
    ) -> CloudJob:
        """An accepted job that is prepared: its parts wait to be heard."""
        from speech import services
        from speech.contracts import StoredFile, TranscriptionOrder
        from speech.objects import incoming_key
        from speech.options import Options
        from storage.facade import store
        from tenants.facade import authenticate, tenant_context

        content, key = tone(ms), incoming_key(self.someone.id)
        store().put_bytes(key, data=content, content_type="audio/wav")
        file = StoredFile(key, "a.wav", "audio/wav", len(content), sha256="", head=content[:64])
        order = TranscriptionOrder(
            file=file, engine=engine if livemode else None, options=Options(simulate=simulate, **options)
        )
        caller = self.someone.caller if livemode else authenticate(self.someone.test_secret, address="127.0.0.1")
        with tenant_context(self.someone.tenant):
            accepted = services.accept(caller, order, idempotency_key=None)
        job = CloudJob(self.someone, accepted.job_id, caller)
        self.work("media")
        return job

    def work(self, *executors: str, most: int = 100) -> int:
        """Run whatever can be claimed now; how many items that were."""
        done = 0
        while done < most and (lease := self._claim(executors or EXECUTORS)) is not None:
            self._worker.run(lease)
            done += 1
        return done

    def claim(self, *executors: str) -> Any:
        """A lease that this test works on itself."""
        lease = self._claim(executors or EXECUTORS)
        assert lease is not None
        return lease

    def run(self, lease: Any) -> None:
        self._worker.run(lease)

    def sweep(self) -> None:
        """Time passes: what waits is due, and leases that nobody holds have run out."""
        from config.wiring import make_sweeper

        mine = "tenant_id = %s"
        sql(f"UPDATE work_item SET not_before = now() WHERE state = 'waiting' AND {mine}", [self.someone.id])
        sql(
            f"UPDATE work_item SET lease_until = now() - interval '1 s' WHERE state = 'leased' AND {mine}",
            [self.someone.id],
        )
        sweeper = make_sweeper()
        sweeper._expired_leases()
        sweeper._waiting_items()

    def finish(self, job: CloudJob, *, rounds: int = 12) -> dict[str, Any]:
        """Work until the job has ended; the resource."""
        for _ in range(rounds):
            self.work()
            if job.row()["status"] not in {"queued", "running"}:
                return job.row()
            self.sweep()
        raise AssertionError(f"not ended: {job.row()['status']}, {job.items()}, {job.attempts()}")

    def _claim(self, executors: Sequence[str]) -> Any:
        from dispatch.facade import claim

        queues = [f"{executor}/{name}" for executor in executors for name in ("interactive", "batch")]
        return next((lease for queue in queues if (lease := claim(queue, slots=1000)) is not None), None)


@pytest.fixture(scope="package", autouse=True)
def _pools() -> Iterator[None]:
    """Decoders of this process are given back."""
    from speech.facade import close_pools

    yield
    close_pools()


@pytest.fixture(autouse=True)
def _closed_circuits() -> None:
    """No test's failing provider is left alone in the next one."""
    from dispatch.broker import client

    client().flushall()


@pytest.fixture
def hands(alice: Any) -> Iterator[Hands]:
    yield Hands(alice)
    sql("DELETE FROM work_item WHERE tenant_id = %s", [alice.id])
    sql("UPDATE lane SET active = false WHERE tenant_id = %s", [alice.id])


@pytest.fixture
def fail_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have this process stop at a named step, as if it had died there: an exception that nobody expects."""

    def arm(point: str) -> None:
        import observe.failpoints
        from speech import delivering, failover, flow, hearing, part_calls

        def fail(name: str) -> None:
            if name == point:
                raise Died(point)

        assert observe.failpoints
        for module in (hearing, part_calls, flow, failover, delivering):
            monkeypatch.setattr(module, "failpoint", fail)

    return arm


class Died(BaseException):
    """The process is gone; nothing after it runs."""

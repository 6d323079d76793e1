"""A new job with its first item, as a part of the one statement in which an app accepts it.

The app joins `LANE` and `ADD_JOB` with the rows of its own: a lane that must be idle and is not gives null, and from
null no job comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from dispatch.contracts import JobRow, Lease, NewItem, NewJob, queue_name

LANE = """public.parlance_lane(%(queue)s, %(tenant_id)s, %(livemode)s, %(lane_weight)s::int, %(idle_only)s,
 %(beside)s)"""
ADD_JOB = """public.parlance_add_job(paid.lane, %(job_id)s, %(tenant_id)s, %(livemode)s, %(kind)s, %(service_class)s,
 %(api_key_id)s, %(deadline_s)s::int, %(price_version)s::int, %(traceparent)s, %(step)s, %(cost_ms)s::bigint,
 %(charged_ms)s::bigint, %(lease_s)s::int, %(measured_ms)s::bigint, %(engine)s)"""
LOWEST_WEIGHT = 1  # of test keys: they never slow paid work


@dataclass(frozen=True, slots=True)
class Measured:
    """What a process knows of a job that it begins as it accepts it, and the time that its lane is charged for it.

    `measured_ms` is None for a job whose audio is still to be made.
    """

    engine: str
    executor: str
    charged_ms: int
    measured_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A job to be added: its item queued, or with `leased` given to this process if the lane is idle."""

    job: NewJob
    item: NewItem
    leased: bool = False
    measured: Measured | None = None

    @property
    def queue(self) -> str:
        return queue_name(self.item.executor, self.job.service_class)

    def values(self) -> dict[str, Any]:
        """What `LANE` and `ADD_JOB` take."""
        job, item, known = self.job, self.item, self.measured
        return {
            "queue": self.queue, "tenant_id": job.tenant_id, "livemode": job.livemode,
            "lane_weight": job.weight if job.livemode else LOWEST_WEIGHT, "idle_only": self.leased,
            "beside": queue_name(known.executor, job.service_class) if known else "", "job_id": job.id,
            "kind": job.kind, "service_class": job.service_class, "api_key_id": job.api_key_id,
            "deadline_s": job.deadline_s, "price_version": job.price_version, "traceparent": job.traceparent,
            "step": item.step, "cost_ms": item.cost_ms, "charged_ms": known.charged_ms if known else item.cost_ms,
            "lease_s": settings.LEASE_S if self.leased else None, "measured_ms": known.measured_ms if known else None,
            "engine": known.engine if known else None,
        }  # fmt: skip

    def added(self, row: Mapping[str, Any]) -> tuple[JobRow, Lease | None]:
        """The job, and the lease of its item, from what the statement gave back."""
        return self._job(row["at"]), self._lease(row["lane"], row["item_id"], row["token"]) if self.leased else None

    def _job(self, at: datetime) -> JobRow:
        job, known = self.job, self.measured
        parts = 1 if known else 0
        return JobRow(
            id=job.id, tenant_id=job.tenant_id, livemode=job.livemode, kind=job.kind,
            state="running" if known else "queued", service_class=job.service_class, api_key_id=job.api_key_id,
            created_at=at, started_at=at if known else None, finished_at=None,
            measured_ms=known.measured_ms if known else None, engine=known.engine if known else None,
            price_version=job.price_version, segments_total=parts, segments_left=parts, done_ms=0, readable_ms=0,
            event_sequence=0, error_code=None, traceparent=job.traceparent,
        )  # fmt: skip

    def _lease(self, lane: int, item_id: int, token: UUID) -> Lease:
        cost_ms = self.measured.charged_ms if self.measured else self.item.cost_ms
        return Lease(
            item_id=item_id, token=token, job_id=self.job.id, tenant_id=self.job.tenant_id, kind=self.job.kind,
            lane_id=lane, queue=self.queue, step=self.item.step, ordinal=0, start_ms=0, end_ms=0, cost_ms=cost_ms,
            attempt=1, inline=True,
        )  # fmt: skip

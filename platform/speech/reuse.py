"""What is asked twice is done once: the first job leads, the others take over its result.

Rows of `shared_result` bind them, in the tenant's own schema, per mode. Whoever reads or changes who leads holds the
leader's row locked: so a leader that ends sees every follower, or a follower sees that its leader has ended.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.db import connection, transaction

from dispatch.facade import BATCH, INTERACTIVE, JobRow, Lease, get_job, park, unpark, wake_on_commit
from observe.facade import failpoint
from speech.models import Checkpoint, SharedResult

Place = Literal["leads", "follows", "alone", "takes_over"]
LOOK_AGAIN_S = 60  # a follower looks for itself, should its leader's word be lost
MEDIA, PREPARE = "media", "prepare"

_LEAD = """INSERT INTO shared_result (job_id, livemode, fingerprint, leads) VALUES (%s, %s, %s, true)
 ON CONFLICT DO NOTHING"""
# The leader's row is marked, so that a leader which ends in one statement sees in its own row whether to look further.
_FOLLOW = """WITH marked AS (
  UPDATE shared_result SET followed = true WHERE livemode = %s AND fingerprint = %s AND leads)
INSERT INTO shared_result (job_id, livemode, fingerprint, leads) VALUES (%s, %s, %s, false)
 ON CONFLICT (job_id) DO NOTHING"""
_LEADER = """SELECT job_id FROM shared_result WHERE livemode = %s AND fingerprint = %s AND leads FOR UPDATE"""


@dataclass(frozen=True, slots=True)
class Mark:
    """What makes jobs of one mode the same: a SHA-256 over all that matters for the result."""

    livemode: bool
    digest: bytes

    @classmethod
    def of(cls, kind: str, *, livemode: bool, asked: Mapping[str, Any]) -> Mark:
        canonical = json.dumps({"kind": kind} | dict(asked), sort_keys=True, ensure_ascii=False)
        return cls(livemode, hashlib.sha256(canonical.encode()).digest())


# For a job that is accepted already leased: it leads, if nobody did, in the statement of `accepting`. And in the
# statement of `finishing`, whether others wait for it; its row stays locked, so none that comes later can be missed.
LEAD_AT_ONCE = """led AS (INSERT INTO shared_result (job_id, livemode, fingerprint, leads)
  SELECT %(job_id)s, %(livemode)s, %(fingerprint)s::bytea, true FROM job
   WHERE job.token IS NOT NULL AND %(fingerprint)s::bytea IS NOT NULL ON CONFLICT DO NOTHING RETURNING job_id)"""
IS_FOLLOWED = "(SELECT s.followed FROM shared_result s WHERE s.job_id = %(job_id)s AND s.leads FOR UPDATE)"

Finished = Callable[[UUID], bool]  # whether a completed job's result is still there


def finished_twin(mark: Mark, *, finished: Finished) -> UUID | None:
    """The completed job whose stored result is the answer, if there is one. A look, without a lock."""
    row = SharedResult.objects.filter(livemode=mark.livemode, fingerprint=mark.digest, leads=True).first()
    return row.job_id if row is not None and finished(row.job_id) else None


def find_place(lease: Lease, job: JobRow, mark: Mark, *, finished: Finished) -> tuple[Place, UUID]:
    """What this job is to the others that ask the same, and who leads.

    One that follows has its item parked, and its lease is gone. One that takes over can read the leader's result.
    """
    with transaction.atomic():
        leader_id = _lead(job, mark)
        if leader_id == job.id:
            return "leads", job.id
        leader = get_job(leader_id)
        if leader is not None and leader.state == "completed" and finished(leader_id):
            return "takes_over", leader_id
        if leader is None or leader.state not in {"queued", "running"}:
            _replace(leader_id, job=job, mark=mark)
            return "leads", job.id
        if _would_wait_longer(job, leader):
            return "alone", leader_id
        _follow(lease, job, mark)
        failpoint("follow.uncommitted")
    failpoint("follow.committed")
    return "follows", leader_id


def _lead(job: JobRow, mark: Mark) -> UUID:
    """Whoever leads, its row locked: this job, if nobody did."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_LEAD, [job.id, mark.livemode, mark.digest])
            cursor.execute(_LEADER, [mark.livemode, mark.digest])
            row = cursor.fetchone()
            if row is not None:
                return UUID(str(row[0]))
            # The leader left between the two statements, or this job followed it before: try for its place.
            SharedResult.objects.filter(job_id=job.id).delete()


def _follow(lease: Lease, job: JobRow, mark: Mark) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW, [mark.livemode, mark.digest, job.id, mark.livemode, mark.digest])
    park(lease, at_most_s=LOOK_AGAIN_S)


def _would_wait_longer(job: JobRow, leader: JobRow) -> bool:
    """An interactive job does not stand behind a batch job's queue: it is heard by itself."""
    return job.service_class == INTERACTIVE and leader.service_class == BATCH


def _replace(leader_id: UUID, *, job: JobRow, mark: Mark) -> None:
    SharedResult.objects.filter(job_id__in=[leader_id, job.id]).delete()
    SharedResult.objects.create(job_id=job.id, livemode=mark.livemode, fingerprint=mark.digest, leads=True)


def leave(job: JobRow, mark: Mark, *, finished: Finished) -> None:
    """The job has ended or its content is deleted, in this transaction: its followers go on.

    After a result they take it over. Otherwise one of them leads from here on and keeps the segments already done.
    """
    if _locked_leader(mark) != job.id:
        SharedResult.objects.filter(job_id=job.id).delete()
        return
    followers = _followers(mark)
    if job.state != "completed" or not finished(job.id):
        SharedResult.objects.filter(job_id=job.id).delete()
        followers = _promote(job, followers)
    else:
        SharedResult.objects.filter(job_id__in=followers).delete()
    if followers:
        unpark(followers, step=PREPARE)
        wake_on_commit(MEDIA)


def _locked_leader(mark: Mark) -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute(_LEADER, [mark.livemode, mark.digest])
        row = cursor.fetchone()
    return row[0] if row else None


def _followers(mark: Mark) -> list[UUID]:
    rows = SharedResult.objects.filter(livemode=mark.livemode, fingerprint=mark.digest, leads=False)
    return list(rows.order_by("job_id").values_list("job_id", flat=True))


def _promote(job: JobRow, followers: Sequence[UUID]) -> list[UUID]:
    """The oldest follower leads; what the job before it had heard is its own now."""
    if not followers:
        return []
    heir = followers[0]
    SharedResult.objects.filter(job_id=heir).update(leads=True, followed=True)
    Checkpoint.objects.filter(job_id=job.id).update(job_id=heir)
    failpoint("promote.uncommitted")
    return [heir]

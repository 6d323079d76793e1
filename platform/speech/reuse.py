"""The same recording asked the same way is heard once: the first job leads, the others take over its result.

Rows of `shared_result` bind them, in the tenant's own schema, per mode. Whoever reads or changes who leads holds the
leader's row locked: so a leader that ends sees every follower, or a follower sees that its leader has ended.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from django.db import connection, transaction

from dispatch.facade import BATCH, INTERACTIVE, JobRow, Lease, get_job, park, unpark, wake_on_commit
from observe.facade import failpoint
from speech.models import Checkpoint, SharedResult, StoredTranscript, TranscriptionRequest

Place = Literal["leads", "follows", "alone", "takes_over"]
LOOK_AGAIN_S = 60  # a follower looks for itself, should its leader's word be lost
MEDIA, PREPARE = "media", "prepare"

_LEAD = """INSERT INTO shared_result (job_id, livemode, fingerprint, leads) VALUES (%s, %s, %s, true)
 ON CONFLICT DO NOTHING"""
_FOLLOW = """INSERT INTO shared_result (job_id, livemode, fingerprint, leads) VALUES (%s, %s, %s, false)
 ON CONFLICT (job_id) DO NOTHING"""
_LEADER = """SELECT job_id FROM shared_result WHERE livemode = %s AND fingerprint = %s AND leads FOR UPDATE"""
_RESULT = """SELECT s.job_id FROM shared_result s JOIN transcript t ON t.job_id = s.job_id
 WHERE s.livemode = %s AND s.fingerprint = %s AND s.leads"""


def fingerprint(request: TranscriptionRequest) -> bytes:
    """What makes two requests the same: the recording's bytes, the engine asked for, and every option."""
    asked = {"sha256": request.sha256, "engine": request.engine, "options": request.options}
    return hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()).digest()


def may_share(request: TranscriptionRequest) -> bool:
    """Whether this job may give or take a result, now that the recording's hash is known."""
    return request.reuse and bool(request.sha256)


def finished_twin(request: TranscriptionRequest) -> UUID | None:
    """The job whose stored result answers this request, if there is one. A look, without a lock."""
    with connection.cursor() as cursor:
        cursor.execute(_RESULT, [request.livemode, fingerprint(request)])
        row = cursor.fetchone()
    return row[0] if row else None


def find_place(lease: Lease, job: JobRow, request: TranscriptionRequest) -> tuple[Place, UUID]:
    """What this job is to the others that ask the same, and who leads.

    One that follows has its item parked, and its lease is gone. One that takes over can read the leader's result.
    """
    mark = fingerprint(request)
    with transaction.atomic():
        leader_id = _lead(job, mark)
        if leader_id == job.id:
            return "leads", job.id
        leader = get_job(leader_id)
        if leader is not None and leader.state == "completed" and _has_result(leader_id):
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


def _lead(job: JobRow, mark: bytes) -> UUID:
    """Whoever leads, its row locked: this job, if nobody did."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_LEAD, [job.id, job.livemode, mark])
            cursor.execute(_LEADER, [job.livemode, mark])
            row = cursor.fetchone()
            if row is not None:
                return UUID(str(row[0]))
            # The leader left between the two statements, or this job followed it before: try for its place.
            SharedResult.objects.filter(job_id=job.id).delete()


def _follow(lease: Lease, job: JobRow, mark: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW, [job.id, job.livemode, mark])
    park(lease, at_most_s=LOOK_AGAIN_S)


def _would_wait_longer(job: JobRow, leader: JobRow) -> bool:
    """An interactive job does not stand behind a batch job's queue: it is heard by itself."""
    return job.service_class == INTERACTIVE and leader.service_class == BATCH


def _has_result(job_id: UUID) -> bool:
    return StoredTranscript.objects.filter(pk=job_id).exists()


def _replace(leader_id: UUID, *, job: JobRow, mark: bytes) -> None:
    SharedResult.objects.filter(job_id__in=[leader_id, job.id]).delete()
    SharedResult.objects.create(job_id=job.id, livemode=job.livemode, fingerprint=mark, leads=True)


def leave(job: JobRow, request: TranscriptionRequest) -> None:
    """The job has ended or its content is deleted, in this transaction: its followers go on.

    After a result they take it over. Otherwise one of them leads from here on and keeps the segments already heard.
    """
    if not may_share(request):
        return
    leader_id = _locked_leader(request)
    if leader_id != job.id:
        SharedResult.objects.filter(job_id=job.id).delete()
        return
    followers = _followers(request)
    if job.state != "completed" or not _has_result(job.id):
        SharedResult.objects.filter(job_id=job.id).delete()
        followers = _promote(job, followers)
    else:
        SharedResult.objects.filter(job_id__in=followers).delete()
    if followers:
        unpark(followers, step=PREPARE)
        wake_on_commit(MEDIA)


def _locked_leader(request: TranscriptionRequest) -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute(_LEADER, [request.livemode, fingerprint(request)])
        row = cursor.fetchone()
    return row[0] if row else None


def _followers(request: TranscriptionRequest) -> list[UUID]:
    rows = SharedResult.objects.filter(livemode=request.livemode, fingerprint=fingerprint(request), leads=False)
    return list(rows.order_by("job_id").values_list("job_id", flat=True))


def _promote(job: JobRow, followers: Sequence[UUID]) -> list[UUID]:
    """The oldest follower leads; what the job before it had heard is its own now."""
    if not followers:
        return []
    heir = followers[0]
    SharedResult.objects.filter(job_id=heir).update(leads=True)
    Checkpoint.objects.filter(job_id=job.id).update(job_id=heir)
    failpoint("promote.uncommitted")
    return [heir]

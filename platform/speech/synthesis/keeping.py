"""How long finished files of speech are kept. They are the cache too, so this is its expiry and its size limit.

A file that nobody has used for the tenant's days goes, and when all files of a mode are larger than the tenant's limit,
the least recently used ones do: row and objects together. What the job was and cost stays. Whatever falls due is a
public row: a date for each file, and one to look at a tenant's room a moment after something was added.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from dispatch.facade import add_due_date, add_due_date_once
from observe.facade import get_logger
from speech.ending import remove_work
from speech.models import SharedResult, SpokenAudio
from speech.objects import job_prefix
from storage.facade import store
from tenants.facade import policies_of, tenant_context, tenant_ref

FILE_DUE: Final = "speech_file"
ROOM_DUE: Final = "speech_room"
LOOK_AFTER: Final = timedelta(seconds=5)  # many files that are added together are looked at once
USE_COUNTS_AFTER: Final = timedelta(hours=1)  # which was used last need not be known more exactly
AT_ONCE: Final = 500
MB: Final = 1_000_000

_SIZE = """SELECT coalesce(sum(a.size_bytes), 0)::bigint FROM spoken_audio a
 JOIN speech_request r ON r.job_id = a.job_id WHERE r.livemode = %s"""
_OLDEST = """SELECT a.job_id, a.size_bytes FROM spoken_audio a JOIN speech_request r ON r.job_id = a.job_id
 WHERE r.livemode = %s ORDER BY a.used_at, a.job_id LIMIT %s"""

log = get_logger(__name__)


def note_use(audio: SpokenAudio) -> None:
    """The file was used just now, and is kept so much longer."""
    now = datetime.now(UTC)
    if audio.used_at < now - USE_COUNTS_AFTER:
        SpokenAudio.objects.filter(pk=audio.job_id).update(used_at=now)


def clean_up(tenant_id: UUID, job_id: UUID) -> None:
    """A job has ended (a due date's handler): what was needed on the way goes, and a file of speech gets its dates."""
    remove_work(tenant_id, job_id)
    with tenant_context(tenant_ref(tenant_id)), transaction.atomic():
        audio = SpokenAudio.objects.filter(pk=job_id).first()
        if audio is not None:
            add_due_date(FILE_DUE, tenant_id=tenant_id, subject_id=job_id, due_at=_ends_at(tenant_id, audio))
            add_due_date_once(
                ROOM_DUE, tenant_id=tenant_id, subject_id=tenant_id, due_at=datetime.now(UTC) + LOOK_AFTER
            )


def expire(tenant_id: UUID, job_id: UUID) -> None:
    """The file's days are over (a due date's handler), unless it was used since."""
    with tenant_context(tenant_ref(tenant_id)), transaction.atomic():
        audio = SpokenAudio.objects.select_for_update().filter(pk=job_id).first()
        ends_at = _ends_at(tenant_id, audio) if audio else None
        if ends_at is not None and ends_at > datetime.now(UTC):
            add_due_date(FILE_DUE, tenant_id=tenant_id, subject_id=job_id, due_at=ends_at)
            return
        _forget([job_id])
    _erase(tenant_id, [job_id])


def make_room(tenant_id: UUID, _subject: UUID) -> None:
    """Keep a tenant's size limit (a due date's handler): the least recently used files go first."""
    limit = policies_of(tenant_id, using="system").speech_keep_mb * MB
    with tenant_context(tenant_ref(tenant_id)):
        for livemode in (True, False):
            while over := max(0, _size(livemode) - limit):
                gone = _least_used(livemode, size_bytes=over)
                with transaction.atomic():
                    _forget(gone)
                _erase(tenant_id, gone)
                log.info("speech_files_evicted", tenant_id=str(tenant_id), livemode=livemode, count=len(gone))


def _ends_at(tenant_id: UUID, audio: SpokenAudio) -> datetime:
    return audio.used_at + timedelta(days=policies_of(tenant_id, using="system").speech_keep_days)


def _size(livemode: bool) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_SIZE, [livemode])
        return int(cursor.fetchone()[0])


def _least_used(livemode: bool, *, size_bytes: int) -> list[UUID]:
    """As many files as are needed to be so much smaller, at most some hundreds at once."""
    found: list[UUID] = []
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST, [livemode, AT_ONCE])
        for job_id, size in cursor.fetchall():
            found.append(job_id)
            size_bytes -= size
            if size_bytes <= 0:
                break
    return found


def _forget(job_ids: Sequence[UUID]) -> None:
    """The rows of files, and that they were answers to others who ask the same."""
    SpokenAudio.objects.filter(pk__in=job_ids).delete()
    SharedResult.objects.filter(pk__in=job_ids).delete()


def _erase(tenant_id: UUID, job_ids: Iterable[UUID]) -> None:
    for job_id in job_ids:
        store().delete_prefix(job_prefix(tenant_id, job_id))

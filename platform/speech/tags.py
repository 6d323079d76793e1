"""Tags by which transcriptions are found again: a table in the tenant's own schema, since a tag is content."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from dispatch.facade import Among

_ADD = """INSERT INTO transcription_tag (livemode, tag, job_id) SELECT %s, tag, %s FROM unnest(%s::text[]) AS t (tag)
 ON CONFLICT DO NOTHING"""
# By the table's key: it has no index that begins with the job, and needs none for anything else.
_REMOVE = """DELETE FROM transcription_tag t USING (
   SELECT livemode, job_id, unnest(tags) AS tag FROM transcription_request WHERE job_id = %s) r
 WHERE t.livemode = r.livemode AND t.tag = r.tag AND t.job_id = r.job_id"""


def add(job_id: UUID, *, livemode: bool, tags: Sequence[str]) -> None:
    """Make the job findable by its tags; costs nothing without any."""
    if tags:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [livemode, job_id, list(tags)])


def remove(job_id: UUID) -> None:
    """Forget the job's tags; its request must still be there."""
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, [job_id])


def carrying(tag: str, *, livemode: bool) -> Among:
    """The jobs with this tag, for `list_jobs`."""
    return Among("transcription_tag", {"livemode": livemode, "tag": tag})

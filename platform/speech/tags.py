"""Tags by which transcriptions are found again: a table in the tenant's own schema, since a tag is content.

`accepting` writes them with the job.
"""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from dispatch.facade import Among

# By the table's key: it has no index that begins with the job, and needs none for anything else.
_REMOVE = """DELETE FROM transcription_tag t USING (
   SELECT livemode, job_id, unnest(tags) AS tag FROM transcription_request WHERE job_id = %s) r
 WHERE t.livemode = r.livemode AND t.tag = r.tag AND t.job_id = r.job_id"""


def remove(job_id: UUID) -> None:
    """Forget the job's tags; its request must still be there."""
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, [job_id])


def carrying(tag: str, *, livemode: bool) -> Among:
    """The jobs with this tag, for `list_jobs`."""
    return Among("transcription_tag", {"livemode": livemode, "tag": tag})

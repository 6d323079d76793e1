"""The rows of an accepted order in one statement, and so in one round trip: lane, hold, job, first item, request."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection

from billing.facade import HOLD, KEEP_NAMES, Quote, tag_values
from dispatch.facade import ADD_JOB, LANE, Entry, JobRow, Lease
from speech.models import TranscriptionRequest
from webhooks.facade import TEXT_IS_WANTED

# Each part begins only when the one before it said yes, so that a no leaves nothing behind.
_ACCEPT = f"""WITH lane AS MATERIALIZED (SELECT {LANE} AS id),
held AS MATERIALIZED (SELECT lane.id, {HOLD} AS covered FROM lane WHERE lane.id IS NOT NULL),
paid AS MATERIALIZED (SELECT CASE WHEN covered THEN id END AS lane FROM held),
job AS MATERIALIZED (SELECT added.* FROM paid, LATERAL {ADD_JOB} AS added),
asked AS (INSERT INTO transcription_request
  (job_id, livemode, object_key, audio_url, filename, engine, language, options, metadata, tags, presentation, sha256,
   reuse, routing, media, warnings, created_at)
  SELECT %(job_id)s, %(livemode)s, %(object_key)s, %(audio_url)s, %(filename)s, %(wished_engine)s, %(language)s,
   %(options)s::jsonb, %(metadata)s::jsonb, %(tags)s::varchar[], %(presentation)s::jsonb, %(sha256)s,
   %(reuse)s, %(routing)s::jsonb, %(media)s::jsonb, %(warnings)s::jsonb, job.at FROM job),
tagged AS (INSERT INTO transcription_tag (livemode, tag, job_id)
  SELECT DISTINCT %(livemode)s, t.tag, %(job_id)s FROM job, unnest(%(tags)s::varchar[]) AS t (tag)),
named AS ({KEEP_NAMES})
SELECT lane.id, held.covered, job.at, job.item_id, job.token, {TEXT_IS_WANTED}
 FROM lane LEFT JOIN held ON true LEFT JOIN job ON true"""  # noqa: S608  # constants only
_COLUMNS = ("lane", "covered", "at", "item_id", "token", "text_is_wanted")


@dataclass(frozen=True, slots=True)
class Written:
    """The rows of an order; `text_is_wanted` tells that an endpoint wants the text in the event of its end."""

    job: JobRow
    lease: Lease | None
    text_is_wanted: bool


def write(entry: Entry, request: TranscriptionRequest, *, quote: Quote) -> Written | None:
    """The job, and its lease when the entry asks for one; None, and nothing written, when the lane is not idle then.

    Raises `InsufficientFunds` having written nothing. Outside a transaction it is one of its own.
    """
    entry = replace(entry, job=replace(entry.job, price_version=quote.version))
    with connection.cursor() as cursor:
        named = tag_values(entry.job.tenant_id, request.tags)
        cursor.execute(_ACCEPT, _request_values(request) | quote.values() | entry.values() | named)
        row = dict(zip(_COLUMNS, cursor.fetchone(), strict=True))
    if row["lane"] is None:
        return None
    if not row["covered"]:
        raise quote.refusal()
    return Written(*entry.added(row), text_is_wanted=row["text_is_wanted"])


def _request_values(request: TranscriptionRequest) -> dict[str, Any]:
    return {
        "object_key": request.object_key, "audio_url": request.audio_url, "filename": request.filename,
        "wished_engine": request.engine, "language": request.language, "options": json.dumps(request.options),
        "metadata": json.dumps(request.metadata), "tags": request.tags,
        "presentation": json.dumps(request.presentation), "sha256": request.sha256, "reuse": request.reuse,
        "routing": json.dumps(request.routing), "media": json.dumps(request.media),
        "warnings": json.dumps(request.warnings),
    }  # fmt: skip

"""The end of a job that one process did in one go: `ending.complete` in one statement, and so in one round trip.

Result, register, money, event and due date, or none of them.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import connection

from billing.facade import SETTLE, MeasuredLine, charge
from dispatch.facade import COMPLETE, JobRow, Lease, LeaseLost, announce_ended
from events.facade import PUBLISH, event_values
from speech import resources
from speech.contracts import METER
from speech.fetching import SOURCE_DUE
from speech.models import TranscriptionRequest
from speech.queries import Found
from speech.transcript import Transcript, to_json

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
NOTICE_FROM_S = 0.5  # nobody has come to wait for a job that is younger; a lost notice costs them a second

_FINISH = f"""WITH ended AS MATERIALIZED (SELECT {COMPLETE} AS number),
kept AS (INSERT INTO transcript (job_id, language, body, object_key, created_at)
  SELECT %(job_id)s, %(spoken)s, %(transcript)s::jsonb, '', now() FROM ended WHERE ended.number IS NOT NULL),
named AS (UPDATE transcription_request SET language = %(spoken)s FROM ended
  WHERE ended.number IS NOT NULL AND job_id = %(job_id)s AND language <> %(spoken)s AND %(spoken)s <> '')
SELECT ended.number, {SETTLE}, {PUBLISH.format(number="ended.number")} FROM ended
 WHERE ended.number IS NOT NULL"""  # noqa: S608  # constants only


def finish(
    lease: Lease, job: JobRow, request: TranscriptionRequest, transcript: Transcript, *, begun_s: float
) -> Found:
    """The job as it has ended; raises `LeaseLost`, having changed nothing. `begun_s`: the clock when it was accepted.

    All of its text fits into the row: a short file's does.
    """
    took_s = time.monotonic() - begun_s
    ended = _ended(job, took_s=took_s)
    request.language = transcript.language or request.language
    line = MeasuredLine(engine=job.engine or "", model="", mode="batch", meter=METER, quantity=job.measured_ms or 0)
    cost, charged = charge(
        job.price_version or 0, line, livemode=job.livemode, tenant_id=job.tenant_id, tags=request.tags
    )
    shown_cost = cost if job.livemode else None
    event = event_values("transcription.completed", resources.transcription(ended, request, cost=shown_cost))
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, _values(lease, ended, transcript) | charged | event)
        if cursor.rowcount == 0:
            raise LeaseLost
    if took_s > NOTICE_FROM_S:
        announce_ended(job.id)
    return Found(ended, request, shown_cost, transcript)


def _ended(job: JobRow, *, took_s: float) -> JobRow:
    """The row as the statement will leave it; its end is told by the database's clock of the beginning."""
    assert job.measured_ms is not None
    return replace(
        job, state="completed", finished_at=job.created_at + timedelta(seconds=took_s), segments_left=0,
        done_ms=job.measured_ms, event_sequence=job.event_sequence + 1,
    )  # fmt: skip


def _values(lease: Lease, job: JobRow, transcript: Transcript) -> dict[str, Any]:
    return {
        "job_id": job.id, "tenant_id": job.tenant_id, "livemode": job.livemode, "api_key_id": job.api_key_id,
        "created_at": job.created_at, "finished_at": job.finished_at, "item_id": lease.item_id, "token": lease.token,
        "due_kind": SOURCE_DUE, "spoken": transcript.language or "",
        "transcript": _encode(to_json(transcript)),
    }  # fmt: skip

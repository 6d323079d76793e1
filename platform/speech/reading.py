"""Reading a transcription while it runs: the text of finished parts, which from then on counts as handed out.

A cancel bills what was handed out. So it is written down, under the job's lock, before anything of it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from django.db import transaction

from dispatch.facade import get_job, lock_job, mark_readable
from speech import queries
from speech.models import Checkpoint
from speech.queries import Found
from speech.transcript import Segment, from_json, merge_on
from tenants.facade import Caller, tenant_context

PARTS_AT_ONCE = 64  # bounds what one reader holds in memory; a part has at most ten minutes


@dataclass(frozen=True, slots=True)
class Place:
    """How far somebody has read: up to where in the recording, and the last segment of the parts before that."""

    until_ms: int = 0
    last: Segment | None = None

    @property
    def segments(self) -> int:
        """How many segments have been read."""
        return self.last.id + 1 if self.last else 0


@dataclass(frozen=True, slots=True)
class Reading:
    """The job as it is, the segments behind the place, and the place after them.

    `more` can be read at once. The transcript is there once the job has ended and has one.
    """

    found: Found
    segments: tuple[Segment, ...]
    place: Place
    more: bool = False


def read_on(caller: Caller, job_id: UUID, *, place: Place) -> Reading | None:
    """What has become readable behind the place; None when the caller has no such transcription (any more)."""
    with tenant_context(caller.tenant):
        while True:
            reading = _read_running(caller, job_id, place)
            if reading is not None:
                return reading
            found = queries.find_transcription(caller, job_id)
            if found is None or found.job.state != "running":  # else it was started in between: look again
                return _read_result(found, place) if found else None


def _read_running(caller: Caller, job_id: UUID, place: Place) -> Reading | None:
    """None unless the job runs; its lock keeps it running until the text is written down as handed out."""
    job = get_job(job_id)
    if job is None or job.state != "running":
        return None
    with transaction.atomic():
        job = lock_job(job_id)
        if job is None or job.state != "running":
            return None
        found = queries.find_transcription(caller, job_id)
        return _read_parts(found, place) if found else None


def _read_parts(found: Found, place: Place) -> Reading:
    """The finished parts that follow without a gap. All channels of a span are heard, or it waits."""
    media = found.request.media
    if "start_ms" not in media:  # parts may be there that were heard for somebody else, but none is planned yet
        return Reading(found, (), place)
    limit = PARTS_AT_ONCE * media["heard_channels"]
    begin_ms = max(place.until_ms, media["start_ms"])
    rows = Checkpoint.objects.filter(job_id=found.job.id, start_ms__gte=begin_ms).order_by("start_ms", "ordinal")
    whole = _gapless(rows[:limit], begin_ms=begin_ms, channels=media["heard_channels"])
    if not whole:
        return Reading(found, (), place)
    until_ms = whole[-1].end_ms
    mark_readable(found.job.id, readable_ms=until_ms - media["start_ms"])
    segments = merge_on([(row.start_ms, from_json(row.body)) for row in whole], after=place.last)
    last = segments[-1] if segments else place.last
    return Reading(found, segments, Place(until_ms, last), more=len(whole) == limit)


def _gapless(rows: Iterable[Checkpoint], *, begin_ms: int, channels: int) -> list[Checkpoint]:
    whole: list[Checkpoint] = []
    for start_ms, group in groupby(rows, key=lambda row: row.start_ms):
        span = list(group)
        if start_ms != (whole[-1].end_ms if whole else begin_ms) or len(span) < channels:
            break
        whole += span
    return whole


def _read_result(found: Found, place: Place) -> Reading:
    """The stored transcript behind the place; nothing while the job is queued or when it failed."""
    segments = found.transcript.segments[place.segments :] if found.transcript else ()
    return Reading(found, segments, Place(place.until_ms, segments[-1]) if segments else place)

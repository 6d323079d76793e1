"""Streams: billed while they run, by sequence, so that a crash at any second loses at most one chunk's billing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billing.contracts import Cost, MeasuredLine
from billing.settlement import settle_chunk

CHUNK_MS = 60_000  # what a crash may lose


def record_chunk(
    job_id: UUID,
    *,
    tenant_id: UUID,
    livemode: bool,
    api_key_id: UUID | None,
    subject_created_at: datetime,
    sequence: int,
    line: MeasuredLine,
    occurred_at: datetime | None = None,
    tags: Sequence[str] = (),
    last: bool = False,
) -> Cost:
    """Bill one chunk, counted from 0, out of the running hold; the same chunk again changes nothing.

    Its month is its own, so a stream over a month's end is in both. Hold the next minute (`raise_hold`) before it is
    heard. `last` gives what is left of the hold back. Raises `HoldMissing` when the stream has ended.
    """
    return settle_chunk(
        job_id, tenant_id=tenant_id, livemode=livemode, api_key_id=api_key_id, subject_created_at=subject_created_at,
        sequence=sequence, line=line, occurred_at=occurred_at, tags=tags, last=last,
    )  # fmt: skip

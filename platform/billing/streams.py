"""Streams: billed while they run, by sequence, so that a crash at any second loses at most one chunk's billing.

Nothing streams audio in yet; the tests do, in place of it. What a stream has to do, each minute in a transaction of
its own: `raise_hold` to the next chunk (refused: end the stream, what was heard is billed), hear it, `record_chunk`. It
ends with `last`, or with `release` when no chunk is left. The register's `measured_ms` is the sum of the chunks that
were recorded: `checks` compares the two once the job has ended.
"""

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
    heard. `last` gives what is left of the hold back. Raises `HoldMissing` for a chunk that
    was never recorded of a stream that has ended.
    """
    return settle_chunk(
        job_id, tenant_id=tenant_id, livemode=livemode, api_key_id=api_key_id, subject_created_at=subject_created_at,
        sequence=sequence, line=line, occurred_at=occurred_at, tags=tags, last=last,
    )  # fmt: skip

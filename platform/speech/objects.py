"""Where a tenant's objects stand. Every key begins with the tenant, and only these functions make keys."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from apikit.ids import new_id

_TENANTS = re.compile(r"t/([0-9a-f]{32})/")


def incoming_key(tenant_id: UUID) -> str:
    """A file between its request and its job's first step. The hour comes first, so that what a crash left behind
    can be removed by its hour, without looking at any tenant."""
    return f"{incoming_prefix(datetime.now(UTC))}{tenant_id.hex}/{new_id().hex}"


def incoming_prefix(hour: datetime) -> str:
    """Everything that came in during this hour."""
    return f"incoming/{hour:%Y%m%d%H}/"


def stale_incoming(now: datetime) -> list[str]:
    """Hours so long ago that every job of theirs has begun or passed its deadline, which is a day."""
    return [incoming_prefix(now - timedelta(hours=ago)) for ago in range(26, 74)]


def tenant_prefixes(tenant_id: UUID, *, now: datetime) -> list[str]:
    """Everything of a tenant, with what came in of late (older is swept by its hour)."""
    hours = [incoming_prefix(now - timedelta(hours=ago)) for ago in range(28)]
    return [f"t/{tenant_id.hex}/", *(f"{hour}{tenant_id.hex}/" for hour in hours)]


def upload_key(tenant_id: UUID, upload_id: UUID) -> str:
    """A file that a customer uploads."""
    return f"t/{tenant_id.hex}/uploads/{upload_id.hex}"


def tenant_of(key: str) -> UUID | None:
    """Whose an object is that a signed URL may be for; None for all others.

    >>> tenant_of("t/00000000000000000000000000000001/uploads/2"), tenant_of("incoming/2026112500/1/2")
    (UUID('00000000-0000-0000-0000-000000000001'), None)
    """
    found = _TENANTS.match(key)
    return UUID(found[1]) if found else None


def job_prefix(tenant_id: UUID, job_id: UUID) -> str:
    """Everything of one job."""
    return f"t/{tenant_id.hex}/jobs/{job_id.hex}/"


def source_key(tenant_id: UUID, job_id: UUID) -> str:
    """The audio as it came, out of reach of any signed upload URL."""
    return f"{job_prefix(tenant_id, job_id)}source"


def work_prefix(tenant_id: UUID, job_id: UUID) -> str:
    """What is needed only until the job has ended."""
    return f"{job_prefix(tenant_id, job_id)}work/"


def pcm_key(tenant_id: UUID, job_id: UUID, *, channel: int | None = None) -> str:
    """The decoded audio: 16 kHz mono 16-bit samples, of all channels together or of one."""
    return f"{work_prefix(tenant_id, job_id)}audio{'' if channel is None else f'-{channel}'}.pcm"


def transcript_key(tenant_id: UUID, job_id: UUID, token: UUID) -> str:
    """A long transcript; the token of the lease that wrote it keeps a late writer off the winner's object."""
    return f"{job_prefix(tenant_id, job_id)}transcript-{token.hex}.json"


def raw_prefix(tenant_id: UUID, job_id: UUID) -> str:
    """What the providers themselves answered for a job's parts."""
    return f"{job_prefix(tenant_id, job_id)}raw/"


def raw_key(tenant_id: UUID, job_id: UUID, *, span_ms: tuple[int, int], number: int, engine: str) -> str:
    """A provider's own answer for a part: the part's span, the number of the call that brought it, and by whom."""
    start_ms, end_ms = span_ms
    return f"{raw_prefix(tenant_id, job_id)}{start_ms:010}-{end_ms:010}-{number}.{engine}"


def part_key(tenant_id: UUID, job_id: UUID, *, ordinal: int, token: UUID) -> str:
    """A spoken part's samples; the token of the lease that wrote it keeps a late writer off the winner's."""
    return f"{work_prefix(tenant_id, job_id)}part-{ordinal}-{token.hex}.pcm"


def spoken_key(tenant_id: UUID, job_id: UUID, *, token: UUID, ending: str) -> str:
    """A finished file of speech."""
    return f"{job_prefix(tenant_id, job_id)}speech-{token.hex}.{ending}"


def timings_key(audio_key: str) -> str:
    """The times of the words of a finished file, beside it.

    >>> timings_key("t/1/jobs/2/speech-3.mp3")
    't/1/jobs/2/speech-3.timings.json'
    """
    return f"{audio_key.rpartition('.')[0]}.timings.json"

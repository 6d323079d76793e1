"""Audio beyond its tenant's or its key's rate waits: the job was accepted, and its length is known only now."""

from __future__ import annotations

import math

from dispatch.facade import GiveUp, JobRow, Lease, park
from tenants.facade import wait_for_turn


def has_to_wait(lease: Lease, job: JobRow, *, audio_ms: int) -> bool:
    """True when the item was set aside until there is room; raises `GiveUp` when there never will be."""
    seconds = math.ceil(audio_ms / 1000)
    limited = wait_for_turn(job.tenant_id, job.api_key_id, livemode=job.livemode, costs={"audio_seconds": seconds})
    if limited is None:
        return False
    most = min(charge.rate.quota for charge in limited.charges)
    if seconds > most:
        detail = f"The recording is {seconds} s long and the rate lets {most} s pass in a whole period. Cut it."
        raise GiveUp("rate_limit_too_small", detail)
    park(lease, at_most_s=math.ceil(limited.wait_s))
    return True

"""The inline lane: a waited-for job on an idle lane runs in the process that accepted it, through the same flow."""

from __future__ import annotations

import threading
from functools import lru_cache, partial

from dispatch.facade import Lease, Worker
from speech import fused, services
from speech.contracts import TranscriptionOrder
from speech.kinds import JOB_KINDS
from speech.queries import Found
from speech.services import Accepted
from speech.workspace import scratch
from tenants.facade import Caller


def transcribe(
    caller: Caller, order: TranscriptionOrder, *, idempotency_key: str | None
) -> tuple[Accepted, Found | None]:
    """Accept the order and, when it may run here, run it: what was accepted, and the ended job if it is known."""
    with scratch() as files:
        measure = partial(fused.measure, tenant_id=caller.tenant_id, order=order, scratch=files)
        accepted = services.accept(caller, order, idempotency_key=idempotency_key, measure=measure)
        if accepted.measured is not None:
            return accepted, fused.run(accepted, order=order, scratch=files)
    if accepted.lease is not None:
        run(accepted.lease)
    elif order.waited_for and not accepted.replayed:
        fused.note_busy(caller.tenant_id, livemode=caller.livemode)
    return accepted, None


def run(lease: Lease) -> None:
    """Run the leased job to its end, or as far as it goes here; workers take over whatever is left."""
    _worker().run(lease)


@lru_cache(maxsize=1)
def _worker() -> Worker:
    return Worker(JOB_KINDS, slots={}, stop=threading.Event())

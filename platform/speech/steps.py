"""What surrounds every step of every kind of job: its tenant, its trace, and secrets that nobody can open now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dispatch.facade import JobRow, Lease, LeaseLost, get_job, park
from observe.facade import get_logger, span
from tenants.facade import VaultUnavailable, tenant_context, tenant_ref

VAULT_AGAIN_S: Final = 10.0  # the next question to a master key that did not answer

Step = Callable[[Lease, JobRow], list[Lease]]

log = get_logger(__name__)


def runner(steps: Mapping[str, Step]) -> Callable[[Lease], list[Lease]]:
    """Does one step of a kind of job; returns leases of steps that follow at once in this process."""

    def run(lease: Lease) -> list[Lease]:
        with tenant_context(tenant_ref(lease.tenant_id)):
            job = get_job(lease.job_id)
            if job is None:
                raise LeaseLost
            with span(f"{job.kind} {lease.step}", parent=job.traceparent, **{"parlance.attempt": lease.attempt}):
                return _step(steps[lease.step], lease, job)

    return run


def _step(step: Step, lease: Lease, job: JobRow) -> list[Lease]:
    try:
        return step(lease, job)
    except VaultUnavailable:
        # The tenant's own credentials are sealed, not lost: an outage of KMS uses up no attempts.
        log.warning("master_key_unavailable", job_id=str(job.id), step=lease.step)
        park(lease, at_most_s=VAULT_AGAIN_S)
        return []

"""Which order is a repeat of an earlier one: under a key of its caller's, or as an SDK's next attempt without a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from apikit import idempotency
from dispatch.facade import get_job
from tenants.facade import Caller

RETRY_WINDOW: Final = timedelta(minutes=15)  # an SDK gives up on an attempt after ten, and then waits a few seconds


def claim_of(
    caller: Caller, *, route: str, key: str | None, attempt: int | None, asked: Callable[[], Mapping[str, Any]]
) -> idempotency.Claim | None:
    """What stands for all that the order says (`asked`); None for one that nobody can repeat.

    `attempt`: how often an SDK that sends no key has tried before, if it says so.
    """
    if key is not None:
        return idempotency.Claim(
            tenant_id=caller.tenant_id, livemode=caller.livemode, route=route, key=key,
            fingerprint=idempotency.fingerprint(asked()),
        )  # fmt: skip
    if attempt is not None:
        return idempotency.retry_claim(
            tenant_id=caller.tenant_id, livemode=caller.livemode, route=route,
            fingerprint=idempotency.fingerprint({**asked(), "api_key": caller.key_id}),
            attempt=attempt, joinable=_is_worth_joining,
        )  # fmt: skip
    return None


def _is_worth_joining(job_id: UUID) -> bool:
    """A retry wants the result that an earlier attempt was to bring: of a job that runs, or has just brought it."""
    job = get_job(job_id)
    if job is None or job.state in {"failed", "canceled"}:
        return False
    return job.finished_at is None or datetime.now(UTC) - job.finished_at < RETRY_WINDOW

"""What belongs to the whole: every package's walls and functions, in literal lists."""

from __future__ import annotations

import apikit.database
import billing.facade
import billing.stripe.walls
import billing.walls
import console.walls
import dispatch.walls
import events.walls
import speech.facade
import speech.walls
import tenants.facade
import tenants.walls
import webhooks.facade
import webhooks.walls
from dispatch.facade import Sweeper, forget_old_attempts, queue_gauges

WALLS = (
    *apikit.database.WALLS,
    *events.walls.WALLS,
    *dispatch.walls.WALLS,
    *tenants.walls.WALLS,
    *webhooks.walls.WALLS,
    *billing.walls.WALLS,
    *billing.stripe.walls.WALLS,
    *speech.walls.WALLS,
    *console.walls.WALLS,
)
FUNCTIONS = (
    *apikit.database.FUNCTIONS,
    *dispatch.walls.FUNCTIONS,
    *tenants.walls.FUNCTIONS,
    *billing.walls.FUNCTIONS,
    *webhooks.walls.FUNCTIONS,
    *events.walls.FUNCTIONS,
)

# Daily tables are dropped after so many days; the ledger's months stay for ever.
DAYS_KEPT = {
    "idempotency_row": 2,
    "outbox_event": 30,
    **dict.fromkeys(webhooks.facade.DAILY_TABLES, webhooks.facade.KEEP_DAYS),
}


def _forget_old_log() -> None:
    webhooks.facade.forget_old_log(webhooks.facade.KEEP_DAYS)


def make_sweeper() -> Sweeper:
    """The sweeper with everything that jobs, due dates and partitions need."""
    return Sweeper(
        speech.facade.JOB_KINDS,
        {**speech.facade.DUE_HANDLERS, **webhooks.facade.DUE_HANDLERS},
        days_kept=DAYS_KEPT,
        often=(billing.facade.fold_usage, billing.facade.tell_thresholds),
        hourly=(
            forget_old_attempts,
            tenants.facade.tell_of_ends,
            billing.facade.make_partitions,
            billing.facade.expire_grants,
            speech.facade.sweep_incoming,
            speech.facade.tell_of_retiring_models,
            webhooks.facade.forget_old_links,
            _forget_old_log,
        ),
    )


# What only one look at the database or Redis can tell: the scheduler's `/metrics`.
GAUGES = (
    queue_gauges,
    webhooks.facade.webhook_gauges,
    billing.facade.ledger_gauges,
    speech.facade.circuit_gauges,
)

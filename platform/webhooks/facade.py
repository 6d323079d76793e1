"""The only door to `webhooks`."""

from webhooks.api import deliveries_router, endpoints_router, events_router
from webhooks.event_types import EVENT_TYPES
from webhooks.fanout import dispatch_events
from webhooks.sending import deliver_due, run_sender

# Made ahead and dropped by the sweeper (`parlance_make_partitions`, `parlance_drop_partitions`), in days.
DAILY_TABLES = ("delivery", "delivery_attempt")
KEEP_DAYS = 30

__all__ = [
    "DAILY_TABLES",
    "EVENT_TYPES",
    "KEEP_DAYS",
    "deliver_due",
    "deliveries_router",
    "dispatch_events",
    "endpoints_router",
    "events_router",
    "run_sender",
]

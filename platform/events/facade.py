"""The only door to `events`."""

from events.audit import record as record_audit
from events.bodies import MAX_BODY_BYTES, TOO_LONG, dump, omitting
from events.forgetting import forget_events
from events.outbox import PUBLISH, event_values, publish

__all__ = [
    "MAX_BODY_BYTES",
    "PUBLISH",
    "TOO_LONG",
    "dump",
    "event_values",
    "forget_events",
    "omitting",
    "publish",
    "record_audit",
]

"""The only door to `events`."""

from events.audit import record as record_audit
from events.outbox import PUBLISH, event_values, publish

__all__ = ["PUBLISH", "event_values", "publish", "record_audit"]

"""The only door to `events`."""

from events.audit import record as record_audit
from events.outbox import publish

__all__ = ["publish", "record_audit"]

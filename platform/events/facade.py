"""The only door to `events`."""

from events.audit import record as record_audit
from events.bodies import MAX_BODY_BYTES, TOO_LONG, dump, omitting
from events.outbox import publish

__all__ = ["MAX_BODY_BYTES", "TOO_LONG", "dump", "omitting", "publish", "record_audit"]

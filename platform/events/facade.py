"""The only door to `events`."""

from events.audit import AuditRow, AuditWanted
from events.audit import record as record_audit
from events.audit import rows as audit_rows
from events.bodies import MAX_BODY_BYTES, TOO_LONG, dump, omitting
from events.forgetting import forget_all_events, forget_events
from events.origin import Origin, acting_from, enter_origin, leave_origin, origin
from events.outbox import PUBLISH, event_values, publish

__all__ = [
    "MAX_BODY_BYTES",
    "PUBLISH",
    "TOO_LONG",
    "AuditRow",
    "AuditWanted",
    "Origin",
    "acting_from",
    "audit_rows",
    "dump",
    "enter_origin",
    "event_values",
    "forget_all_events",
    "forget_events",
    "leave_origin",
    "omitting",
    "origin",
    "publish",
    "record_audit",
]

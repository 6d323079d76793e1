"""What is not in daily partitions expires here, as old as the partitions do: kept answers, replays, e-mails."""

from __future__ import annotations

from django.db import connections

from webhooks.fanout import SYSTEM

_EXPIRED = (
    "DELETE FROM kept_answer WHERE kept_at < now() - %s * interval '1 day'",
    "DELETE FROM webhook_replay WHERE state <> 'running' AND finished_at < now() - %s * interval '1 day'",
    "DELETE FROM mail_outbox WHERE due_at IS NULL AND created_at < now() - %s * interval '1 day'",
)


def forget_old_log(keep_days: int) -> None:
    """Delete what ended more than so many days ago; once an hour is often enough."""
    with connections[SYSTEM].cursor() as cursor:
        for statement in _EXPIRED:
            cursor.execute(statement, [keep_days])

"""Taking what a tenant wrote out of the events of a subject whose content is erased."""

from __future__ import annotations

import json
from uuid import UUID

from django.db import connections

from events.bodies import without_content

_FIND = "SELECT created_at, id, body FROM outbox_event WHERE subject_id = %s"
_REPLACE = "UPDATE outbox_event SET body = %s WHERE created_at = %s AND id = %s"
_EMPTY = "UPDATE outbox_event SET body = '{}' WHERE tenant_id = %s AND body <> '{}'"


def forget_events(subject_id: UUID, *, using: str) -> None:
    """From now on, and in every later attempt, the subject's events tell only that they happened."""
    with connections[using].cursor() as cursor:
        cursor.execute(_FIND, [subject_id])
        for created_at, event_id, body in cursor.fetchall():
            cursor.execute(_REPLACE, [without_content(json.loads(bytes(body))), created_at, event_id])


def forget_all_events(tenant_id: UUID, *, using: str) -> None:
    """Nothing is left of what a tenant's events told, for a tenant that nobody can ask for any more."""
    with connections[using].cursor() as cursor:
        cursor.execute(_EMPTY, [tenant_id])

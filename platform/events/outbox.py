"""Events: written with the change they tell of, in the same transaction; sent later by `webhooks`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

from apikit.ids import new_id
from events import bodies

_INSERT = """INSERT INTO outbox_event (created_at, id, tenant_id, livemode, type, subject_id, sequence, body)
 VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""


# The same inside the statement that makes the change; `number` is that statement's own column.
PUBLISH = """public.parlance_publish(%(event_at)s, %(event_id)s, %(tenant_id)s, %(livemode)s, %(event_type)s,
 %(job_id)s, {number}, %(event_body)s)"""


def publish(
    type: str,  # noqa: A002  # the field's own name in Standard Webhooks
    *,
    tenant_id: UUID,
    livemode: bool,
    subject_id: UUID,
    sequence: int,
    data: Mapping[str, Any],
    using: str = DEFAULT_DB_ALIAS,
) -> UUID:
    """Store the event in the caller's transaction. Returns its id, which every delivery carries as `webhook-id`.

    `data` is the resource as GET returns it, without text or audio; the body is kept as the bytes that are signed,
    fewer than 20 kB of them (`bodies`).
    """
    event_id, now = new_id(), datetime.now(UTC)
    encoded = bodies.encode(type, at=now, data=data)
    with connections[using].cursor() as cursor:
        cursor.execute(_INSERT, [now, event_id, tenant_id, livemode, type, subject_id, sequence, encoded])
    return event_id


def event_values(type: str, data: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002  # as above
    """What `PUBLISH` takes, beside the ids of its subject and tenant."""
    now = datetime.now(UTC)
    encoded = bodies.encode(type, at=now, data=data)
    return {"event_at": now, "event_id": new_id(), "event_type": type, "event_body": encoded}

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

"""Events with their text, for endpoints that asked for it (`include: ["text"]`).

The body with the text is made once, in the transaction that publishes the event, and kept sealed under the tenant's
data key until its partition is dropped; so every attempt sends the same bytes. Forgetting leaves a tombstone: later
attempts send the content-free body, in which `omitted` says why the text is missing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, connections

from dispatch.facade import CONTENT_DUE, bring_forward
from events.facade import MAX_BODY_BYTES, TOO_LONG, dump, omitting
from tenants.facade import Place, VaultError, seal, tenant_context, tenant_ref, unseal
from webhooks.contracts import Claim
from webhooks.fanout import SYSTEM

MAX_TEXT_BYTES = 16_000  # of UTF-8; with it, too, a body stays below 20 kB
DELETED, DELIVERED = "deleted", "delivered"

# Whether any endpoint of the tenant wants text, for statements of others that know `tenant_id`.
TEXT_IS_WANTED = """EXISTS (SELECT FROM public.webhook_endpoint
 WHERE tenant_id = %(tenant_id)s AND kind = 'endpoint' AND enabled AND include_text)"""
_EVENT = "SELECT created_at, body FROM outbox_event WHERE id = %s"
_KEEP = """INSERT INTO event_text (created_at, event_id, tenant_id, subject_id, body, until_delivered)
 VALUES (%s, %s, %s, %s, %s, %s)"""
_FORGET = "UPDATE event_text SET body = NULL, forgotten = %s WHERE subject_id = %s AND body IS NOT NULL"
# An endpoint that gets events without their text has not delivered the text.
_FORGET_DELIVERED = """UPDATE event_text t SET body = NULL, forgotten = %s
 FROM unnest(%s::uuid[], %s::uuid[]) AS d (event_id, endpoint_id)
 JOIN webhook_endpoint e ON e.id = d.endpoint_id AND e.include_text
 WHERE t.created_at = ANY(%s) AND t.event_id = d.event_id AND t.until_delivered AND t.body IS NOT NULL
 RETURNING t.subject_id"""
_READ = "SELECT event_id, tenant_id, body, forgotten FROM event_text WHERE created_at = ANY(%s) AND event_id = ANY(%s)"


def keep_text(event_id: UUID, *, tenant_id: UUID, subject_id: UUID, text: str, until_delivered: bool = False) -> None:
    """Keep an event's text for the endpoints that want it; part of the transaction that published the event.

    To be called in the tenant's context; one small query when no endpoint of the tenant wants text. With
    `until_delivered` the first 2xx of any of them makes it a tombstone (zero retention).
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {TEXT_IS_WANTED}", {"tenant_id": tenant_id})
        if not cursor.fetchone()[0]:
            return
        cursor.execute(_EVENT, [event_id])
        created_at, plain = cursor.fetchone()
        body = with_text(bytes(plain), text=text)
        once = until_delivered and "omitted" not in json.loads(body)["data"]  # else its delivery brings no text
        sealed = seal(body, place=_place(tenant_id, event_id))
        cursor.execute(_KEEP, [created_at, event_id, tenant_id, subject_id, sealed, once])


def forget_text(subject_id: UUID) -> None:
    """Replace the text in all events of a job by a tombstone; part of the transaction that deletes the job."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [DELETED, subject_id])


def forget_delivered(cursor: Any, delivered: Collection[Claim]) -> None:
    """Tombstones for those of the delivered events whose text was kept until then, and their jobs' content goes too;
    as the system."""
    if delivered:
        events, endpoints = [claim.event_id for claim in delivered], [claim.endpoint_id for claim in delivered]
        cursor.execute(_FORGET_DELIVERED, [DELIVERED, events, endpoints, list({each.created_at for each in delivered})])
        bring_forward(CONTENT_DUE, subject_ids=[row[0] for row in cursor.fetchall()], using=SYSTEM)


def bodies_with_text(claims: Collection[Claim], *, plain: Mapping[UUID, bytes]) -> dict[UUID, bytes]:
    """The bodies that endpoints get that asked for text, by event; events that never had one are left out."""
    if not claims:
        return {}
    created, ids = {claim.created_at for claim in claims}, {claim.event_id for claim in claims}
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_READ, [list(created), list(ids)])
        rows = cursor.fetchall()
    return {
        event_id: _opened(event_id, tenant_id, sealed) or without_text(plain[event_id], reason=forgotten or DELETED)
        for event_id, tenant_id, sealed, forgotten in rows
        if event_id in plain
    }


def with_text(plain: bytes, *, text: str) -> bytes:
    """The body with the text, or with the reason why it is too long for it.

    >>> with_text(b'{"data":{"id":"trn_1"}}', text="안녕").decode()
    '{"data":{"id":"trn_1","text":"안녕"}}'
    """
    event = json.loads(plain)
    body = dump(event | {"data": event["data"] | {"text": text}})
    if len(text.encode()) <= MAX_TEXT_BYTES and len(body) < MAX_BODY_BYTES:
        return body
    return without_text(plain, reason=TOO_LONG)


def without_text(plain: bytes, *, reason: str) -> bytes:
    """The body as it is sent instead of one with text.

    >>> without_text(b'{"data":{"id":"trn_1"}}', reason="deleted")
    b'{"data":{"id":"trn_1","text":null,"omitted":{"text":"deleted"}}}'
    """
    event = json.loads(plain)
    return dump(event | {"data": omitting(event["data"], "text", value=None, reason=reason)})


def _opened(event_id: UUID, tenant_id: UUID, sealed: bytes | None) -> bytes | None:
    if sealed is None:
        return None
    try:
        with tenant_context(tenant_ref(tenant_id)):
            return unseal(bytes(sealed), place=_place(tenant_id, event_id))
    except (VaultError, ObjectDoesNotExist):
        return None  # the tenant is being erased, and its text with it


def _place(tenant_id: UUID, event_id: UUID) -> Place:
    return Place(tenant_id, "event_text", "body", str(event_id))

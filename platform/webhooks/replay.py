"""Stored events to one endpoint once more: counted, asked for, canceled. `replaying` makes the steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from events.facade import record_audit
from tenants.facade import Caller, tenant_context
from webhooks.errors import EndpointClosed, ReplayRunning, UnknownEventTypes
from webhooks.event_types import EVENT_TYPES, QUIET, is_known, patterns_for
from webhooks.models import Replay, WebhookEndpoint
from webhooks.queries import own_endpoints

_LAST = """SELECT COALESCE(max(position), 0) FROM outbox_event WHERE tenant_id = %s AND livemode = %s"""

WANTED = """ev.type = ANY(%(types)s) AND (%(endpoint_kind)s = 'endpoint' OR EXISTS (SELECT FROM job_webhook j
    WHERE j.subject_id = ev.subject_id AND j.endpoint_id = %(endpoint)s))
  AND NOT EXISTS (SELECT FROM delivery d WHERE d.created_at = ev.created_at AND d.event_id = ev.id
    AND d.endpoint_id = %(endpoint)s AND d.state = ANY(%(left_out)s))"""

_COUNT = f"""SELECT count(*) FROM outbox_event ev
WHERE ev.tenant_id = %(tenant)s AND ev.livemode = %(livemode)s AND ev.position <= %(last)s
  AND ev.created_at >= %(from)s AND ev.created_at < %(to)s AND {WANTED}"""  # noqa: S608  # two constants


@dataclass(frozen=True, slots=True)
class Wish:
    """What to send again: a time range, and types (None: all that the endpoint's filter wants)."""

    only_missed: bool
    from_at: datetime
    to_at: datetime
    event_types: Sequence[str] | None = None


def count_replay(caller: Caller, endpoint_id: UUID, *, wish: Wish) -> int | None:
    """How many deliveries a replay would open now; None when there is no such endpoint."""
    with tenant_context(caller.tenant):
        row = own_endpoints(caller).filter(pk=endpoint_id).first()
        return None if row is None else _count(row, wish, types=_types(row, wish), last=_last_position(row))


def start_replay(caller: Caller, endpoint_id: UUID, *, wish: Wish) -> Replay | None:
    """Ask for a replay; None when there is no such endpoint. Raises `EndpointClosed` or `ReplayRunning`."""
    with tenant_context(caller.tenant), transaction.atomic():
        row = own_endpoints(caller).select_for_update().filter(pk=endpoint_id).first()
        if row is None:
            return None
        if not row.enabled:
            raise EndpointClosed
        types, last = _types(row, wish), _last_position(row)
        replay = Replay(
            tenant_id=row.tenant_id, livemode=row.livemode, endpoint_id=row.id, only_missed=wish.only_missed,
            from_at=_from(row, wish), to_at=wish.to_at, event_types=types, last_position=last,
            expected=_count(row, wish, types=types, last=last),
        )  # fmt: skip
        _insert(replay)
        after = {"replay_id": str(replay.id), "expected": replay.expected, "only_missed": wish.only_missed}
        _audit(caller, "webhook_endpoint.replay_started", endpoint_id, after=after)
        return replay


def cancel_replay(caller: Caller, endpoint_id: UUID, replay_id: UUID) -> Replay | None:
    """Stop opening deliveries; what is open already goes out. None when there is no such replay."""
    with tenant_context(caller.tenant), transaction.atomic():
        row = own_replays(caller, endpoint_id).select_for_update().filter(pk=replay_id).first()
        if row is None or row.state != Replay.State.RUNNING:
            return row
        Replay.objects.filter(pk=row.pk).update(state=Replay.State.CANCELED, finished_at=Now())
        before = {"replay_id": str(replay_id), "state": row.state}
        after = before | {"state": Replay.State.CANCELED}
        _audit(caller, "webhook_endpoint.replay_canceled", endpoint_id, before=before, after=after)
        row.refresh_from_db()
        return row


def find_replay(caller: Caller, endpoint_id: UUID, replay_id: UUID) -> Replay | None:
    """One replay of the endpoint, or None."""
    with tenant_context(caller.tenant):
        return own_replays(caller, endpoint_id).filter(pk=replay_id).first()


def list_replays(caller: Caller, endpoint_id: UUID, *, limit: int, before: UUID | None) -> list[Replay]:
    """Up to `limit + 1` replays of the endpoint, newest first."""
    with tenant_context(caller.tenant):
        rows = own_replays(caller, endpoint_id).order_by("-id")
        return list((rows.filter(id__lt=before) if before else rows)[: limit + 1])


def left_out(*, only_missed: bool) -> list[str]:
    """Returns the states that stay as they are: what is on its way, and to recover also what has arrived.

    >>> left_out(only_missed=True)
    ['pending', 'leased', 'delivered']
    """
    return ["pending", "leased", "delivered"] if only_missed else ["pending", "leased"]


def types_wanted(filters: Sequence[str], *, among: Sequence[str] | None) -> list[str]:
    """Returns the whole names that an endpoint's filter wants and, when given, `among` too.

    >>> types_wanted(["speech.*", "transcription.failed"], among=["speech.failed", "transcription.*"])
    ['transcription.failed', 'speech.failed']
    """
    kept = [name for name in EVENT_TYPES if not set(patterns_for(name)).isdisjoint(filters)]
    return [name for name in kept if among is None or not {*patterns_for(name)}.isdisjoint(among)]


def own_replays(caller: Caller, endpoint_id: UUID) -> QuerySet[Replay]:
    """The endpoint's replays; to be evaluated in the tenant's context."""
    return Replay.objects.filter(tenant_id=caller.tenant_id, livemode=caller.livemode, endpoint_id=endpoint_id)


def _types(row: WebhookEndpoint, wish: Wish) -> list[str]:
    unknown = [name for name in wish.event_types or () if not is_known(name)]
    if unknown:
        raise UnknownEventTypes(unknown, known=list(EVENT_TYPES))
    # A job's URL has no filter: it gets what its jobs publish, without what must be named.
    filters = row.event_types if row.kind == "endpoint" else [name for name in EVENT_TYPES if name not in QUIET]
    return types_wanted(filters, among=wish.event_types)


def _last_position(row: WebhookEndpoint) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_LAST, [row.tenant_id, row.livemode])
        return int(cursor.fetchone()[0])


def _count(row: WebhookEndpoint, wish: Wish, *, types: Sequence[str], last: int) -> int:
    values: dict[str, Any] = {
        "tenant": row.tenant_id,
        "livemode": row.livemode,
        "last": last,
        "from": _from(row, wish),
        "to": wish.to_at,
        "types": list(types),
        "endpoint": row.id,
        "endpoint_kind": row.kind,
        "left_out": left_out(only_missed=wish.only_missed),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        return int(cursor.fetchone()[0])


def _from(row: WebhookEndpoint, wish: Wish) -> datetime:
    """What was before an endpoint cannot have been missed by it; replaying it to a new receiver is another thing."""
    return max(wish.from_at, row.created_at) if wish.only_missed else wish.from_at


def _insert(replay: Replay) -> None:
    try:
        with transaction.atomic():
            replay.save(force_insert=True)
    except IntegrityError:  # the one constraint: one running replay of an endpoint
        raise ReplayRunning from None
    replay.refresh_from_db()


def _audit(caller: Caller, action: str, endpoint_id: UUID, **states: Any) -> None:
    record_audit(action, actor=str(caller.key_id), subject=str(endpoint_id), tenant_id=caller.tenant_id, **states)

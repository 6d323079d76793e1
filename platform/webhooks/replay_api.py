"""Routes of replays: what an endpoint missed, or a time range, once more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from apikit import ids
from apikit.facade import MAX_LIMIT, FieldError, Problem, decode_cursor, not_found, page
from tenants.facade import ApiKeyAuth, caller_with
from webhooks import queries, replay
from webhooks.errors import UnknownEventTypes, WebhookError
from webhooks.models import Replay
from webhooks.replay_schemas import RecoverIn, ReplayCount, ReplayIn, ReplayList, ReplayOut
from webhooks.shown import moment

router = Router(tags=["webhooks"], auth=ApiKeyAuth())

MANAGE = "webhooks:manage"

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


@router.post(
    "/{endpoint_id}/recover",
    response={200: ReplayCount, 202: ReplayOut},
    by_alias=True,
    operation_id="recover_webhook_endpoint",
)
def recover(request: HttpRequest, endpoint_id: str, body: RecoverIn, response: HttpResponse) -> Any:
    """Send everything since a time that this endpoint wants and has not received, at most 30 days back."""
    wish = replay.Wish(only_missed=True, from_at=body.since, to_at=datetime.now(UTC))
    return _answer(request, response, endpoint_id, wish, dry_run=body.dry_run)


@router.post(
    "/{endpoint_id}/replay",
    response={200: ReplayCount, 202: ReplayOut},
    by_alias=True,
    operation_id="replay_webhook_endpoint",
)
def replay_range(request: HttpRequest, endpoint_id: str, body: ReplayIn, response: HttpResponse) -> Any:
    """Send everything of a time range again, with the same `webhook-id`s, at most 30 days back."""
    if body.from_ >= body.to:
        field = FieldError("to", "range", "Write a time after `from`.")
        raise Problem("invalid_request", 422, "The range ends before it begins.", [field])
    wish = replay.Wish(only_missed=False, from_at=body.from_, to_at=body.to, event_types=body.event_types)
    return _answer(request, response, endpoint_id, wish, dry_run=body.dry_run)


@router.get("/{endpoint_id}/replays", response=ReplayList, by_alias=True, operation_id="list_webhook_replays")
def list_replays(request: HttpRequest, endpoint_id: str, limit: Limit = 20, cursor: str | None = None) -> Any:
    """The endpoint's replays, newest first."""
    caller = caller_with(request, MANAGE)
    before, endpoint = decode_cursor(cursor) if cursor else None, _id(ids.WEBHOOK_ENDPOINT, endpoint_id)
    if queries.find_endpoint(caller, endpoint) is None:
        raise not_found("webhook endpoint")
    rows = replay.list_replays(caller, endpoint, limit=limit, before=before)
    return page(rows, limit=limit, id_of=lambda row: row.id, shown=shown)


@router.get("/{endpoint_id}/replays/{replay_id}", response=ReplayOut, by_alias=True, operation_id="get_webhook_replay")
def get_replay(request: HttpRequest, endpoint_id: str, replay_id: str) -> Any:
    """One replay and how far it is."""
    caller = caller_with(request, MANAGE)
    row = replay.find_replay(caller, _id(ids.WEBHOOK_ENDPOINT, endpoint_id), _id(ids.REPLAY, replay_id))
    return _found(row)


@router.post(
    "/{endpoint_id}/replays/{replay_id}/cancel",
    response=ReplayOut,
    by_alias=True,
    operation_id="cancel_webhook_replay",
)
def cancel(request: HttpRequest, endpoint_id: str, replay_id: str) -> Any:
    """Stop a replay; deliveries that are open already go out."""
    caller = caller_with(request, MANAGE)
    row = replay.cancel_replay(caller, _id(ids.WEBHOOK_ENDPOINT, endpoint_id), _id(ids.REPLAY, replay_id))
    return _found(row)


def shown(row: Replay) -> dict[str, Any]:
    """A replay as JSON."""
    return {
        "object": "webhook_replay",
        "id": ids.show(ids.REPLAY, row.id),
        "livemode": row.livemode,
        "endpoint_id": ids.show(ids.WEBHOOK_ENDPOINT, row.endpoint_id),
        "only_missed": row.only_missed,
        "from": moment(row.from_at),
        "to": moment(row.to_at),
        "event_types": list(row.event_types),
        "state": row.state,
        "expected_count": row.expected,
        "opened_count": row.opened,
        "created_at": moment(row.created_at),
        "finished_at": moment(row.finished_at),
    }


def _answer(request: HttpRequest, response: HttpResponse, endpoint_id: str, wish: replay.Wish, *, dry_run: bool) -> Any:
    caller, key = caller_with(request, MANAGE), _id(ids.WEBHOOK_ENDPOINT, endpoint_id)
    try:
        if dry_run:
            count = replay.count_replay(caller, key, wish=wish)
            if count is None:
                raise not_found("webhook endpoint")
            return Status(200, {"object": "webhook_replay_count", "endpoint_id": endpoint_id, "count": count})
        row = replay.start_replay(caller, key, wish=wish)
    except UnknownEventTypes as error:
        field = FieldError("event_types", error.code, str(error))
        raise Problem("invalid_request", 422, "The list names unknown event types.", [field]) from None
    except WebhookError as error:
        raise Problem(error.code, 409, str(error)) from None
    if row is None:
        raise not_found("webhook endpoint")
    response["Location"] = f"/v1/webhook-endpoints/{endpoint_id}/replays/{ids.show(ids.REPLAY, row.id)}"
    return Status(202, shown(row))


def _found(row: Replay | None) -> dict[str, Any]:
    if row is None:
        raise not_found("replay")
    return shown(row)


def _id(prefix: str, shown_id: str) -> UUID:
    found = ids.parse(prefix, shown_id)
    if found is None:
        raise not_found("replay" if prefix == ids.REPLAY else "webhook endpoint")
    return found

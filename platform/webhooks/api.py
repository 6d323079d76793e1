"""Routes of endpoints, events and deliveries: parse, authorise, call, answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from apikit import ids
from apikit.facade import MAX_LIMIT, FieldError, Problem, ProblemOut, decode_cursor, not_found, page
from egress.facade import UrlBlocked
from tenants.facade import ApiKeyAuth, Caller, caller_with
from webhooks import queries, rotation, schemas, services, shown
from webhooks.contracts import Kind, Tuning
from webhooks.errors import HeaderRefused, TooManyEndpoints, UnknownEventTypes, WebhookError
from webhooks.event_types import TEST

endpoints_router = Router(tags=["webhooks"], auth=ApiKeyAuth())
events_router = Router(tags=["webhooks"], auth=ApiKeyAuth())
deliveries_router = Router(tags=["webhooks"], auth=ApiKeyAuth())

MANAGE = "webhooks:manage"
READ_RESULTS = "transcriptions:read"

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
Position = Annotated[int, Query(ge=0, lt=2**63)]
T = TypeVar("T")
ShownState = Literal["pending", "sending", "delivered", "failed", "canceled"]


@endpoints_router.post(
    "", response={201: schemas.EndpointOut}, exclude_unset=True, operation_id="create_webhook_endpoint"
)
def create(request: HttpRequest, body: schemas.EndpointIn, response: HttpResponse) -> Any:
    """Make an endpoint. Its `secret` verifies every delivery (Standard Webhooks)."""
    caller = caller_with(request, MANAGE)
    tuning = Tuning(
        schedule=tuple(body.schedule) if body.schedule else None, rate_per_s=body.rate_per_s,
        max_in_flight=body.max_in_flight, signature=body.signature, include_text=bool(body.include),
        headers=body.headers,
    )  # fmt: skip
    with _problems():
        view = services.create_endpoint(
            caller, url=body.url, event_types=body.event_types, description=body.description, metadata=body.metadata,
            tuning=tuning,
        )  # fmt: skip
    response["Location"] = f"/v1/webhook-endpoints/{ids.show(ids.WEBHOOK_ENDPOINT, view.id)}"
    return shown.endpoint(view, headers_open=True)


@endpoints_router.get("", response=schemas.EndpointList, exclude_unset=True, operation_id="list_webhook_endpoints")
def list_endpoints(request: HttpRequest, limit: Limit = 20, cursor: str | None = None, kind: Kind = "endpoint") -> Any:
    """Endpoints of the key's mode, newest first, without secrets. `kind=job`: the URLs that jobs named instead."""
    caller = caller_with(request, MANAGE)
    rows = queries.list_endpoints(caller, limit=limit, before=_before(cursor), kind=kind)
    return page(rows, limit=limit, id_of=lambda row: row.id, shown=shown.endpoint)


@endpoints_router.get("/job-secret", response=schemas.JobSecretOut, operation_id="get_webhook_job_secret")
def get_job_secret(request: HttpRequest) -> Any:
    """The secret that verifies the events sent to the `webhook_url` of jobs of the key's mode."""
    return shown.job_secret(rotation.read_job_secret(caller_with(request, MANAGE)))


@endpoints_router.post(
    "/job-secret/rotate",
    response={200: schemas.JobSecretOut, 409: ProblemOut},
    operation_id="rotate_webhook_job_secret",
)
def rotate_job_secret(request: HttpRequest, body: schemas.RotationIn) -> Any:
    """A new secret for jobs' URLs; for `overlap_hours` every delivery is signed with both."""
    caller = caller_with(request, MANAGE)
    with _problems():
        return shown.job_secret(rotation.rotate_job_secret(caller, overlap=timedelta(hours=body.overlap_hours)))


@endpoints_router.get(
    "/{endpoint_id}", response=schemas.EndpointOut, exclude_unset=True, operation_id="get_webhook_endpoint"
)
def get_endpoint(request: HttpRequest, endpoint_id: str) -> Any:
    """One endpoint with its secret."""
    caller = caller_with(request, MANAGE)
    view = queries.find_endpoint(caller, _endpoint(endpoint_id))
    return shown.endpoint(_found(view, "webhook endpoint"))


@endpoints_router.patch(
    "/{endpoint_id}", response=schemas.EndpointOut, exclude_unset=True, operation_id="change_webhook_endpoint"
)
def patch(request: HttpRequest, endpoint_id: str, body: schemas.EndpointPatch) -> Any:
    """Change an endpoint. Disabling cancels its open deliveries; enabling forgets its failures."""
    caller = caller_with(request, MANAGE)
    given = body.model_dump(exclude_unset=True)
    include = given.pop("include", None)
    change = services.EndpointChange(
        **given,
        include_text=None if include is None else bool(include),
        cleared=frozenset(name for name, value in given.items() if value is None),
    )
    with _problems():
        view = services.change_endpoint(caller, _endpoint(endpoint_id), change=change)
    return shown.endpoint(_found(view, "webhook endpoint"))


@endpoints_router.delete("/{endpoint_id}", response=schemas.DeletedEndpointOut, operation_id="delete_webhook_endpoint")
def delete(request: HttpRequest, endpoint_id: str) -> Any:
    """Delete an endpoint, its URL and its secrets; the delivery log stays until it expires."""
    caller = caller_with(request, MANAGE)
    if not services.delete_endpoint(caller, _endpoint(endpoint_id)):
        raise not_found("webhook endpoint")
    return {"object": "webhook_endpoint", "id": endpoint_id, "deleted": True}


@endpoints_router.post(
    "/{endpoint_id}/rotate-secret",
    response=schemas.EndpointOut,
    exclude_unset=True,
    operation_id="rotate_webhook_secret",
)
def rotate(request: HttpRequest, endpoint_id: str, body: schemas.RotationIn) -> Any:
    """A new secret, and with v1a a new key; for `overlap_hours` every delivery is signed with both."""
    caller = caller_with(request, MANAGE)
    with _problems():
        view = rotation.rotate_secret(caller, _endpoint(endpoint_id), overlap=timedelta(hours=body.overlap_hours))
    return shown.endpoint(_found(view, "webhook endpoint"))


@endpoints_router.post("/{endpoint_id}/test", response={202: schemas.TestSent}, operation_id="test_webhook_endpoint")
def send_test(request: HttpRequest, endpoint_id: str) -> Any:
    """Send a `webhook_endpoint.test` event to this endpoint alone."""
    caller = caller_with(request, MANAGE)
    with _problems():
        event_id = services.send_test(caller, _endpoint(endpoint_id))
    found = _found(event_id, "webhook endpoint")
    return {"object": "event", "id": ids.show(ids.EVENT, found), "type": TEST}


@events_router.get("", response=schemas.EventList, exclude_unset=True, operation_id="list_events")
def list_events(
    request: HttpRequest, limit: Limit = 20, cursor: str | None = None, after: Position | None = None
) -> Any:
    """Events, newest first. Poll with `after`: events above that position, oldest first, none ever skipped."""
    caller = _events_reader(request)
    if after is None:
        rows = queries.list_events(caller, limit=limit, before=_before(cursor))
        return page(rows, limit=limit, id_of=lambda row: row.id, shown=shown.event)
    rows = queries.events_after(caller, limit=limit, position=after)
    body = page(rows, limit=limit, id_of=lambda row: row.id, shown=shown.event)
    last = rows[:limit][-1].position if rows else after
    return body | {"next_cursor": None, "next_after": last}


@events_router.get("/{event_id}", response=schemas.EventOut, operation_id="get_event")
def get_event(request: HttpRequest, event_id: str) -> Any:
    """One event."""
    view = queries.find_event(_events_reader(request), _id(ids.EVENT, event_id, "event"))
    return shown.event(_found(view, "event"))


@deliveries_router.get("", response=schemas.DeliveryList, exclude_unset=True, operation_id="list_deliveries")
def list_deliveries(
    request: HttpRequest,
    limit: Limit = 20,
    cursor: str | None = None,
    endpoint_id: str | None = None,
    event_id: str | None = None,
    state: ShownState | None = None,
) -> Any:
    """The delivery log, newest event first."""
    caller = caller_with(request, MANAGE)
    wanted = queries.DeliveryFilter(
        endpoint_id=_endpoint(endpoint_id) if endpoint_id else None,
        event_id=_id(ids.EVENT, event_id, "event") if event_id else None,
        states=[{"sending": "leased"}.get(state, state)] if state else (),
    )
    rows = queries.list_deliveries(caller, limit=limit, before=_before(cursor), wanted=wanted)
    return page(rows, limit=limit, id_of=lambda row: row.id, shown=shown.delivery)


@deliveries_router.get("/{delivery_id}", response=schemas.DeliveryOut, exclude_unset=True, operation_id="get_delivery")
def get_delivery(request: HttpRequest, delivery_id: str) -> Any:
    """One delivery with all its attempts."""
    caller = caller_with(request, MANAGE)
    view = queries.find_delivery(caller, _id(ids.DELIVERY, delivery_id, "delivery"))
    return shown.delivery(_found(view, "delivery"))


@deliveries_router.post(
    "/{delivery_id}/resend", response={202: schemas.DeliveryOut}, exclude_unset=True, operation_id="resend_delivery"
)
def resend(request: HttpRequest, delivery_id: str) -> Any:
    """One more attempt now, with the same `webhook-id`, signed with the secrets of today."""
    caller = caller_with(request, MANAGE)
    key = _id(ids.DELIVERY, delivery_id, "delivery")
    with _problems():
        if not services.resend(caller, key):
            raise not_found("delivery")
    return shown.delivery(_found(queries.find_delivery(caller, key), "delivery"))


def _events_reader(request: HttpRequest) -> Caller:
    caller: Caller = request.auth  # type: ignore[attr-defined]  # ninja puts it there
    return caller_with(request, READ_RESULTS if READ_RESULTS in caller.scopes else MANAGE)


def _before(cursor: str | None) -> UUID | None:
    return decode_cursor(cursor) if cursor else None


def _endpoint(shown_id: str) -> UUID:
    return _id(ids.WEBHOOK_ENDPOINT, shown_id, "webhook endpoint")


def _id(prefix: str, shown_id: str, kind: str) -> UUID:
    return _found(ids.parse(prefix, shown_id), kind)


def _found(value: T | None, kind: str) -> T:
    if value is None:
        raise not_found(kind)
    return value


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except UrlBlocked as error:
        field = FieldError("url", error.code, str(error))
        raise Problem(error.code, 422, "Events may not be sent to this URL.", [field]) from None
    except UnknownEventTypes as error:
        field = FieldError("event_types", error.code, str(error))
        raise Problem("invalid_request", 422, "The filter names unknown event types.", [field]) from None
    except HeaderRefused as error:
        field = FieldError("headers", error.code, str(error))
        raise Problem("invalid_request", 422, "A custom header cannot be sent.", [field]) from None
    except TooManyEndpoints as error:
        raise Problem(error.code, 422, str(error)) from None
    except WebhookError as error:
        raise Problem(error.code, 409, str(error)) from None

"""Routes of destinations."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from apikit import ids
from apikit.facade import MAX_LIMIT, ProblemOut, decode_cursor, not_found, page
from speech.destinations import services
from speech.destinations.schemas import DestinationDeletedOut, DestinationIn, DestinationListOut, DestinationOut
from speech.models import Destination
from speech.resources import stamp
from speech.routes.shared import answer
from tenants.facade import ApiKeyAuth, Caller, caller_with

MANAGE = "destinations:manage"

router = Router(auth=ApiKeyAuth(), tags=["destinations"])


@router.post("", response={201: DestinationOut}, summary="Register a bucket of yours")
def create_destination(request: HttpRequest, body: DestinationIn) -> HttpResponse:
    """The answer's `external_id` goes into the role's trust policy; then verify the destination."""
    return answer(_shown(services.create_destination(caller_with(request, MANAGE), body.model_dump())), status=201)


@router.get("", response={200: DestinationListOut}, summary="List destinations")
def list_destinations(
    request: HttpRequest, limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 20, cursor: str | None = None
) -> HttpResponse:
    """Newest first."""
    caller = caller_with(request, MANAGE)
    rows = services.list_destinations(caller, limit=limit + 1, after=decode_cursor(cursor) if cursor else None)
    return answer(page(rows, limit=limit, id_of=lambda row: row.id, shown=_shown))


@router.get("/{destination_id}", response={200: DestinationOut}, summary="Get a destination")
def get_destination(request: HttpRequest, destination_id: str) -> HttpResponse:
    """One bucket."""
    return answer(_shown(_found(caller_with(request, MANAGE), destination_id)))


@router.post(
    "/{destination_id}/verify", response={200: DestinationOut, 409: ProblemOut}, summary="Verify a destination"
)
def verify_destination(request: HttpRequest, destination_id: str) -> HttpResponse:
    """Take the role on, write an object and delete it. The role must refuse everybody without the external id."""
    caller = caller_with(request, MANAGE)
    return answer(_shown(services.verify_destination(caller, _found(caller, destination_id))))


@router.delete("/{destination_id}", response={200: DestinationDeletedOut}, summary="Delete a destination")
def delete_destination(request: HttpRequest, destination_id: str) -> HttpResponse:
    """Copies that are still to be made fail; what is in the bucket stays there."""
    caller = caller_with(request, MANAGE)
    if not services.delete_destination(caller, _found(caller, destination_id).id):
        raise not_found("destination")
    return answer({"id": destination_id, "object": "destination", "deleted": True})


def _found(caller: Caller, shown_id: str) -> Destination:
    parsed = ids.parse(ids.DESTINATION, shown_id)
    row = services.find_destination(caller, parsed) if parsed else None
    if row is None:
        raise not_found("destination")
    return row


def _shown(row: Destination) -> dict[str, Any]:
    return {
        "id": ids.show(ids.DESTINATION, row.id),
        "object": "destination",
        "livemode": row.livemode,
        "bucket": row.bucket,
        "prefix": row.prefix,
        "region": row.region,
        "role_arn": row.role_arn,
        "external_id": row.external_id,
        "endpoint_url": row.endpoint_url,
        "status": "verified" if row.verified_at else "unverified",
        "verified_at": stamp(row.verified_at),
        "created": stamp(row.created_at),
    }

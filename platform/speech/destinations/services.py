"""A tenant's destinations: registered, verified by a write and a delete, and found for orders."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apikit import ids
from events.facade import record_audit
from speech.destinations import writing
from speech.destinations.contracts import NamedDestination, Place
from speech.destinations.errors import DestinationError
from speech.models import Destination
from speech.synthesis.shelves import require_room
from tenants.facade import Caller

MAX_DESTINATIONS: Final = 20  # per tenant and mode


def create_destination(caller: Caller, wanted: Mapping[str, str]) -> Destination:
    """A new one, unverified, with an external id that nobody else has; raises `DestinationError` or `ShelfFull`."""
    endpoint = wanted["endpoint_url"]
    if endpoint and endpoint not in settings.DESTINATION_ENDPOINTS:
        detail = "The operator has not allowed this endpoint. Leave it out for AWS, or ask the operator."
        raise DestinationError("endpoint_not_allowed", detail, field="endpoint_url")
    own = Destination.objects.filter(livemode=caller.livemode)
    external_id = f"parlance-{secrets.token_hex(20)}"
    with transaction.atomic():
        require_room(caller, own, limit=MAX_DESTINATIONS, kind="destinations")
        row = Destination.objects.create(livemode=caller.livemode, external_id=external_id, **wanted)
        _audit(caller, "created", row, after=_told(row))
    return row


def list_destinations(caller: Caller, *, limit: int, after: UUID | None) -> list[Destination]:
    """Up to `limit`, newest first."""
    rows = Destination.objects.filter(livemode=caller.livemode)
    return list((rows.filter(id__lt=after) if after else rows).order_by("-id")[:limit])


def find_destination(caller: Caller, destination_id: UUID) -> Destination | None:
    """The caller's, of the key's own mode, or None."""
    return Destination.objects.filter(pk=destination_id, livemode=caller.livemode).first()


def verify_destination(caller: Caller, row: Destination) -> Destination:
    """Try it; raises `DestinationError`, and then it is not verified any more."""
    shown_id = ids.show(ids.DESTINATION, row.id)
    try:
        writing.verify(place_of(row), probe_key=f"{row.prefix}parlance-verification-{shown_id}")
    except DestinationError as error:
        if not error.may_pass:
            Destination.objects.filter(pk=row.pk).update(verified_at=None)
        raise
    before, row.verified_at = _told(row), datetime.now(UTC)
    with transaction.atomic():
        row.save(update_fields=["verified_at"])
        _audit(caller, "verified", row, before=before, after=_told(row))
    return row


def delete_destination(caller: Caller, destination_id: UUID) -> bool:
    """Forget it; False when there is none. Copies under way fail, and what was copied stays in the bucket."""
    with transaction.atomic():
        row = Destination.objects.select_for_update().filter(pk=destination_id, livemode=caller.livemode).first()
        if row is None:
            return False
        _audit(caller, "deleted", row, before=_told(row))
        row.delete()
    return True


def named(caller: Caller, shown_id: str | None) -> NamedDestination | None:
    """The destination that an order names; raises `DestinationError` for none of the caller's, or one not verified."""
    if shown_id is None:
        return None
    parsed = ids.parse(ids.DESTINATION, shown_id)
    row = find_destination(caller, parsed) if parsed else None
    if row is None:
        detail = "There is no such destination. Check destination_id."
        raise DestinationError("not_found", detail, field="destination_id")
    if row.verified_at is None:
        detail = f"The destination is not verified. POST /v1/destinations/{shown_id}/verify first."
        raise DestinationError("destination_unverified", detail, field="destination_id")
    return NamedDestination(row.id, row.prefix)


def place_of(row: Destination) -> Place:
    """Where it writes, and as whom."""
    return Place(
        bucket=row.bucket, prefix=row.prefix, region=row.region, endpoint_url=row.endpoint_url,
        role_arn=row.role_arn, external_id=row.external_id,
    )  # fmt: skip


def _told(row: Destination) -> dict[str, Any]:
    """Buckets and roles are named by the row's id only."""
    return {"region": row.region, "verified": row.verified_at is not None}


def _audit(caller: Caller, action: str, row: Destination, **states: Any) -> None:
    record_audit(
        f"destination.{action}", actor=str(caller.key_id), subject=str(row.id), tenant_id=caller.tenant_id, **states
    )

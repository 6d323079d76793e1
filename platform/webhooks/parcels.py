"""Everything that a batch of claims needs to be sent: stored bodies, and URLs and secrets per tenant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from uuid import UUID

from django.db import ProgrammingError, connections

from tenants.facade import VaultError, tenant_context, tenant_ref
from webhooks.contracts import Answer, Claim, Destination, Outcome, Parcel
from webhooks.fanout import SYSTEM
from webhooks.targets import destinations

MAX_LOST = 5  # a delivery whose attempts keep dying with their sender must not take every sender down

_BODIES = "SELECT id, body FROM outbox_event WHERE created_at = ANY(%s) AND id = ANY(%s)"


def load(claims: Sequence[Claim]) -> tuple[list[Parcel], list[Outcome]]:
    """Parcels to send, and the outcomes of claims that cannot be sent at all."""
    bodies, known = _bodies(claims), _destinations(claims)
    parcels, outcomes = [], []
    for claim in claims:
        body, destination = bodies.get(claim.event_id), known.get(claim.endpoint_id)
        if claim.lost > MAX_LOST:
            outcomes.append(_unsent(claim, error="attempt_lost"))
        elif body is None:
            outcomes.append(_unsent(claim, error="event_expired"))
        elif destination is None:
            outcomes.append(_unsent(claim, error="endpoint_unreadable"))
        else:
            parcels.append(Parcel(claim=claim, destination=destination, body=body))
    return parcels, outcomes


def _unsent(claim: Claim, *, error: str) -> Outcome:
    return Outcome(claim=claim, answer=Answer(status=None, error=error))


def _bodies(claims: Iterable[Claim]) -> dict[UUID, bytes]:
    wanted = {claim.event_id: claim.created_at for claim in claims}
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_BODIES, [list(set(wanted.values())), list(wanted)])
        return {event_id: bytes(body) for event_id, body in cursor.fetchall()}


def _destinations(claims: Iterable[Claim]) -> dict[UUID, Destination]:
    found: dict[UUID, Destination] = {}
    by_tenant = sorted(claims, key=lambda claim: claim.tenant_id)
    for tenant_id, own in groupby(by_tenant, key=lambda claim: claim.tenant_id):
        found |= _of_tenant(tenant_id, {claim.endpoint_id for claim in own})
    return found


def _of_tenant(tenant_id: UUID, endpoint_ids: set[UUID]) -> dict[UUID, Destination]:
    try:
        with tenant_context(tenant_ref(tenant_id)):
            return destinations(endpoint_ids, tenant_id=tenant_id)
    except (VaultError, ProgrammingError):
        return {}  # the tenant is being erased; other tenants' deliveries go on

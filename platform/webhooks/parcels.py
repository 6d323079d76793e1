"""Everything that a batch of claims needs to be sent: stored bodies, and URLs and secrets per tenant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import ProgrammingError, connections

from dispatch.facade import traceparents
from observe.facade import is_traced
from tenants.facade import VaultError, tenant_context, tenant_ref
from webhooks.contracts import Answer, Claim, Destination, Outcome, Parcel
from webhooks.fanout import SYSTEM
from webhooks.targets import destinations
from webhooks.texts import bodies_with_text

MAX_LOST = 5  # a delivery whose attempts keep dying with their sender must not take every sender down
KNOWN_DESTINATIONS = 4096

_BODIES = "SELECT id, body FROM outbox_event WHERE created_at = ANY(%s) AND id = ANY(%s)"

_SUBJECTS = "SELECT id, subject_id FROM outbox_event WHERE created_at = ANY(%s) AND id = ANY(%s)"


class DestinationBook:
    """Destinations by endpoint and revision: every change of URL or secret makes a new revision, so none is stale."""

    def __init__(self) -> None:
        self._known: dict[tuple[UUID, int], Destination] = {}

    def find(self, claims: Iterable[Claim]) -> dict[UUID, Destination]:
        """The destinations of these claims by endpoint; those that cannot be read are left out."""
        wanted = {(claim.endpoint_id, claim.revision): claim.tenant_id for claim in claims}
        missing = sorted((tenant_id, *key) for key, tenant_id in wanted.items() if key not in self._known)
        if len(self._known) + len(missing) > KNOWN_DESTINATIONS:
            self._known.clear()
            missing = sorted((tenant_id, *key) for key, tenant_id in wanted.items())
        for tenant_id, own in groupby(missing, key=lambda row: row[0]):
            revisions = {endpoint_id: revision for _, endpoint_id, revision in own}
            for endpoint_id, destination in _of_tenant(tenant_id, set(revisions)).items():
                self._known[endpoint_id, revisions[endpoint_id]] = destination
        return {key[0]: self._known[key] for key in wanted if key in self._known}


def load(claims: Sequence[Claim], *, book: DestinationBook) -> tuple[list[Parcel], list[Outcome]]:
    """Parcels to send, and the outcomes of claims that cannot be sent at all."""
    bodies, known = _bodies(claims), book.find(claims)
    wanting = [claim for claim in claims if claim.endpoint_id in known and known[claim.endpoint_id].include_text]
    texts, traces = bodies_with_text(wanting, plain=bodies), _traces(claims) if is_traced() else {}
    parcels, outcomes = [], []
    for claim in claims:
        body, destination = bodies.get(claim.event_id), known.get(claim.endpoint_id)
        if destination is not None and destination.include_text:
            body = texts.get(claim.event_id, body)
        if claim.lost > MAX_LOST:
            outcomes.append(_unsent(claim, error="attempt_lost"))
        elif body is None:
            outcomes.append(_unsent(claim, error="event_expired"))
        elif destination is None:
            outcomes.append(_unsent(claim, error="endpoint_unreadable"))
        else:
            trace = traces.get(claim.event_id, "")
            parcels.append(Parcel(claim=claim, destination=destination, body=body, traceparent=trace))
    return parcels, outcomes


def _unsent(claim: Claim, *, error: str) -> Outcome:
    return Outcome(claim=claim, answer=Answer(status=None, error=error))


def _bodies(claims: Iterable[Claim]) -> dict[UUID, bytes]:
    wanted = {claim.event_id: claim.created_at for claim in claims}
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_BODIES, [list(set(wanted.values())), list(wanted)])
        return {event_id: bytes(body) for event_id, body in cursor.fetchall()}


def _traces(claims: Iterable[Claim]) -> dict[UUID, str]:
    """The trace of each event's job."""
    wanted = {claim.event_id: claim.created_at for claim in claims}
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_SUBJECTS, [list(set(wanted.values())), list(wanted)])
        subjects = dict(cursor.fetchall())
    known = traceparents(list(subjects.values()))
    return {event_id: known.get(subject_id, "") for event_id, subject_id in subjects.items()}


def _of_tenant(tenant_id: UUID, endpoint_ids: set[UUID]) -> dict[UUID, Destination]:
    try:
        with tenant_context(tenant_ref(tenant_id)):
            return destinations(endpoint_ids, tenant_id=tenant_id)
    except (VaultError, ObjectDoesNotExist, ProgrammingError):
        return {}  # the tenant is being erased; other tenants' deliveries go on

"""Steps that several tests of deliveries take."""

from __future__ import annotations

from typing import Any

from apikit import ids
from webhooks import claims
from webhooks.facade import deliver_due, dispatch_events

ONE = "SELECT * FROM delivery"
ATTEMPTS = "SELECT * FROM delivery_attempt ORDER BY number"


def send() -> int:
    """Fan out and send what is due; how many were claimed."""
    dispatch_events()
    return deliver_due()


def claim(slow: bool = False) -> Any:
    """Lease what is due, as a sender does that dies right after."""
    return claims.claim_due(free=10, lease_s=30, slow=slow, room_of_tenant=10, running={})


def shown(endpoint: Any) -> str:
    """The endpoint's public id."""
    return ids.show(ids.WEBHOOK_ENDPOINT, endpoint.id)

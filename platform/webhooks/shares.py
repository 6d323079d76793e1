"""Who gets the free senders: every due endpoint a little, no tenant more than its part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from webhooks.contracts import DueEndpoint


def share_out(
    due: Sequence[DueEndpoint], *, free: int, room_of_tenant: int, running: Mapping[UUID, int]
) -> dict[UUID, int]:
    """Returns how many deliveries each endpoint may send now, given out one by one in turns.

    `free` senders are shared; `running` counts a tenant's busy senders, of which it may hold `room_of_tenant`.

    >>> one, two, tenant = UUID(int=1), UUID(int=2), UUID(int=9)
    >>> due = [DueEndpoint(id=one, tenant_id=tenant, enabled=True, deleted=False, free=4),
    ...        DueEndpoint(id=two, tenant_id=tenant, enabled=True, deleted=False, free=1)]
    >>> share_out(due, free=8, room_of_tenant=4, running={tenant: 1}) == {one: 2, two: 1}
    True
    """
    shares: dict[UUID, int] = {}
    held = dict(running)
    waiting = [endpoint for endpoint in due if endpoint.free > 0]
    while free > 0 and waiting:
        still = []
        for endpoint in waiting:
            if free == 0 or held.get(endpoint.tenant_id, 0) >= room_of_tenant:
                continue
            shares[endpoint.id] = shares.get(endpoint.id, 0) + 1
            held[endpoint.tenant_id] = held.get(endpoint.tenant_id, 0) + 1
            free -= 1
            if shares[endpoint.id] < endpoint.free:
                still.append(endpoint)
        waiting = still
    return shares

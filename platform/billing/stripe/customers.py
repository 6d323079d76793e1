"""The one customer at Stripe that stands for a tenant."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import stripe

from apikit import ids
from billing.stripe.gateway import Gateway
from billing.stripe.models import StripeCustomer
from tenants.facade import find_tenant

SYSTEM = "system"
LOOK_BACK_S = 3 * 86_400  # longer than a row of the outbox is tried
# Everybody who makes the tenant's customer at about the same time does so under the same keys, one after the other.
KEY_LASTS_S, KEYS = 600, 4


def customer_of(tenant_id: UUID, *, at: Gateway) -> StripeCustomer:
    """The tenant's customer, made when it has none; two at once get the same."""
    known = StripeCustomer.objects.using(SYSTEM).filter(pk=tenant_id).first()
    if known is not None:
        return known
    made = _found_or_made(tenant_id, at=at)
    StripeCustomer.objects.using(SYSTEM).bulk_create(
        [StripeCustomer(tenant_id=tenant_id, customer_id=made.id)], ignore_conflicts=True
    )
    return StripeCustomer.objects.using(SYSTEM).get(pk=tenant_id)


def _found_or_made(tenant_id: UUID, *, at: Gateway) -> Any:
    """After an answer that Stripe keeps under its key: read back, then the next key."""
    now = int(time.time())
    for number in range(KEYS):
        key = f"parlance-customer-{tenant_id}-{now // KEY_LASTS_S}-{number}"
        try:
            found = at.find_customer(tenant_id, since=now - LOOK_BACK_S)
            return found or at.create_customer(tenant_id, name=_name(tenant_id), key=key)
        except (stripe.APIConnectionError, stripe.InvalidRequestError):
            raise
        except stripe.StripeError:
            if number == KEYS - 1:
                raise
    raise AssertionError("unreachable")


def _name(tenant_id: UUID) -> str:
    tenant = find_tenant(ids.show(ids.TENANT, tenant_id))
    return tenant.name if tenant is not None else str(tenant_id)

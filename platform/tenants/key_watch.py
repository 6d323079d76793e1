"""Telling of keys that end soon: one look over all tenants, each key told once."""

from __future__ import annotations

from django.db import transaction

from events.facade import publish
from tenants.key_services import EXPIRING
from tenants.models import ApiKey
from tenants.shown import api_key


def tell_of_ends(*, using: str = "system") -> int:
    """Publish `api_key.expiring` for keys in the last quarter of their life, at most 7 days before; how many."""
    with transaction.atomic(using=using):
        ending = list(ApiKey.objects.using(using).raw("SELECT * FROM public.parlance_keys_that_end()"))
        for row in ending:
            publish(
                "api_key.expiring", tenant_id=row.tenant_id, livemode=row.livemode, subject_id=row.id,
                sequence=EXPIRING, data=api_key(row), using=using,
            )  # fmt: skip
    return len(ending)

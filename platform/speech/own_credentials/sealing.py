"""The secret of a row, sealed under the tenant's data key and bound to this very row and column."""

from __future__ import annotations

from uuid import UUID

from speech.models import ProviderCredential
from speech.own_credentials.contracts import OwnCredential
from tenants.facade import Place, seal, unseal


def sealed(secret: str, *, tenant_id: UUID, row_id: UUID) -> bytes:
    """What is stored."""
    return seal(secret.encode(), place=_place(tenant_id, row_id))


def opened(row: ProviderCredential, *, tenant_id: UUID) -> OwnCredential:
    """What engines take; raises `VaultError`."""
    secret = unseal(bytes(row.secret), place=_place(tenant_id, row.id)).decode()
    return OwnCredential(row.provider, secret, row.region)


def _place(tenant_id: UUID, row_id: UUID) -> Place:
    return Place(tenant_id=tenant_id, table="provider_credential", column="secret", row=str(row_id))

"""Secrets at rest: AES-256-GCM under a data key per tenant, itself wrapped by a master key.

Tenant, table, column and row are bound in as associated data, so that a ciphertext copied to any other place fails.
Deleting a tenant's data keys makes all its secrets unreadable for ever.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from tenants.errors import VaultError
from tenants.keys import parse_versions
from tenants.kms import PREFIX, AwsKms
from tenants.models import DataKey

_NONCE_BYTES = 12
KEPT_S = 60.0
MAX_OPENED = 1024
_opened: dict[UUID, tuple[float, dict[int, AESGCM]]] = {}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret stands; part of what is authenticated."""

    tenant_id: UUID
    table: str
    column: str
    row: str

    def bound(self, version: int) -> bytes:
        return f"{version}|{self.tenant_id}|{self.table}.{self.column}|{self.row}".encode()


class MasterKeys(Protocol):
    """Makes, wraps and unwraps data keys."""

    def new_data_key(self, *, tenant_id: UUID) -> tuple[str, bytes]:
        """(version of the master key, wrapped new key of 256 bits)."""

    def wrap(self, data_key: bytes, *, tenant_id: UUID) -> tuple[str, bytes]:
        """(version of the master key, wrapped key)."""

    def unwrap(self, wrapped: bytes, *, version: str, tenant_id: UUID) -> bytes:
        """The data key; raises `VaultError`."""


class KeyRing:
    """Master keys from a file or the environment: `1:<base64url>,2:<base64url>`; the newest wraps."""

    def __init__(self, text: str) -> None:
        self._keys = {str(version): AESGCM(key[:32]) for version, key in parse_versions(text).items()}
        self._newest = max(self._keys, key=int)

    def new_data_key(self, *, tenant_id: UUID) -> tuple[str, bytes]:
        return self.wrap(AESGCM.generate_key(bit_length=256), tenant_id=tenant_id)

    def wrap(self, data_key: bytes, *, tenant_id: UUID) -> tuple[str, bytes]:
        nonce = os.urandom(_NONCE_BYTES)
        return self._newest, nonce + self._keys[self._newest].encrypt(nonce, data_key, tenant_id.bytes)

    def unwrap(self, wrapped: bytes, *, version: str, tenant_id: UUID) -> bytes:
        try:
            return self._keys[version].decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], tenant_id.bytes)
        except (KeyError, InvalidTag):
            raise VaultError(f"master key {version} is missing or is not the one that wrapped this") from None


class MasterKeysOfAllTimes:
    """The newest wraps; which one opens a data key is told by the version that stands beside it."""

    def __init__(self, text: str) -> None:
        words = [word.strip() for word in text.split(",")]
        ring = ",".join(word for word in words if not word.startswith(PREFIX))
        kms = [AwsKms(word) for word in words if word.startswith(PREFIX)]
        self._kms, self._ring = kms[0] if kms else None, KeyRing(ring) if ring else None

    def new_data_key(self, *, tenant_id: UUID) -> tuple[str, bytes]:
        return self._newest.new_data_key(tenant_id=tenant_id)

    def wrap(self, data_key: bytes, *, tenant_id: UUID) -> tuple[str, bytes]:
        return self._newest.wrap(data_key, tenant_id=tenant_id)

    def unwrap(self, wrapped: bytes, *, version: str, tenant_id: UUID) -> bytes:
        keys: MasterKeys | None = self._kms if version.startswith(PREFIX) else self._ring
        if keys is None:
            raise VaultError(f"master key {version} is missing")
        return keys.unwrap(wrapped, version=version, tenant_id=tenant_id)

    @property
    def _newest(self) -> MasterKeys:
        newest: MasterKeys | None = self._kms or self._ring
        assert newest is not None
        return newest


@lru_cache(maxsize=1)
def master_keys() -> MasterKeys:
    """The keys named by `PARLANCE_MASTER_KEY`: a key ring, `aws-kms://key-id`, or both while moving to KMS."""
    return MasterKeysOfAllTimes(settings.MASTER_KEYS)


def create_data_key(tenant_id: UUID, *, version: int = 1) -> None:
    """Give the tenant a new data key (as owner; part of creating the tenant and of rotation)."""
    master_version, wrapped = master_keys().new_data_key(tenant_id=tenant_id)
    DataKey.objects.using("owner").create(
        tenant_id=tenant_id, version=version, master_version=master_version, wrapped=wrapped
    )


def seal(secret: bytes, *, place: Place) -> bytes:
    """The secret encrypted under the tenant's newest data key: 4 bytes version, nonce, ciphertext."""
    version, key = _newest(place.tenant_id)
    nonce = os.urandom(_NONCE_BYTES)
    return version.to_bytes(4, "big") + nonce + key.encrypt(nonce, secret, place.bound(version))


def unseal(sealed: bytes, *, place: Place) -> bytes:
    """The secret; raises `VaultError` when it was sealed for another place or the tenant was erased."""
    version = int.from_bytes(sealed[:4], "big")
    nonce, ciphertext = sealed[4 : 4 + _NONCE_BYTES], sealed[4 + _NONCE_BYTES :]
    try:
        return _keys(place.tenant_id)[version].decrypt(nonce, ciphertext, place.bound(version))
    except (KeyError, InvalidTag):
        raise VaultError("this secret was not sealed here, or its data key was erased") from None


def rewrap_all() -> int:
    """After a new master key was added: wrap every data key with it. Returns how many changed."""
    changed = 0
    for row in DataKey.objects.using("owner").iterator():
        data_key = master_keys().unwrap(bytes(row.wrapped), version=row.master_version, tenant_id=row.tenant_id)
        version, wrapped = master_keys().wrap(data_key, tenant_id=row.tenant_id)
        if version != row.master_version:
            DataKey.objects.using("owner").filter(pk=row.pk).update(master_version=version, wrapped=wrapped)
            changed += 1
    return changed


def _newest(tenant_id: UUID) -> tuple[int, AESGCM]:
    keys = _keys(tenant_id)
    if not keys:
        raise VaultError("this tenant has no data key: it was erased")
    return max(keys.items())


def _keys(tenant_id: UUID) -> dict[int, AESGCM]:
    """The tenant's data keys, opened; kept for a minute, so that new and erased ones are noticed everywhere."""
    read_at, keys = _opened.get(tenant_id, (0.0, {}))
    if not keys or time.monotonic() - read_at > KEPT_S:
        keys = _open(tenant_id)
        if len(_opened) >= MAX_OPENED:
            _opened.clear()
        _opened[tenant_id] = (time.monotonic(), keys)
    return keys


def _open(tenant_id: UUID) -> dict[int, AESGCM]:
    # Read as the tenant's own role: row-level security shows the tenant's own data keys only.
    rows = DataKey.objects.filter(tenant_id=tenant_id)
    opened = ((row.version, bytes(row.wrapped), row.master_version) for row in rows)
    return {
        version: AESGCM(master_keys().unwrap(wrapped, version=master, tenant_id=tenant_id))
        for version, wrapped, master in opened
    }

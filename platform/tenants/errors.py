"""Errors of `tenants`.

TenantError
├── KeyRefused      401: missing, malformed, unknown, expired or revoked: one answer for all
├── AddressRefused  403: the key may not be used from this address
├── TenantSuspended 403: the tenant may not start new work
├── ScopeMissing    403: the key lacks a scope
└── WiderThanSelf   422: a key may not mint a key with more rights than its own
VaultError          a secret cannot be opened, and never will be
VaultUnavailable    nobody can open it now: another time
"""

from __future__ import annotations


class TenantError(Exception):
    """Base of all errors of `tenants`; `code` is stable."""

    code = "tenant_error"


class KeyRefused(TenantError):
    code = "invalid_api_key"


class AddressRefused(TenantError):
    code = "ip_not_allowed"


class TenantSuspended(TenantError):
    code = "tenant_suspended"


class ScopeMissing(TenantError):
    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


class WiderThanSelf(TenantError):
    code = "key_too_wide"


class VaultError(Exception):
    """A secret cannot be opened: a key is missing, or the ciphertext belongs elsewhere."""


class VaultUnavailable(Exception):
    """The master key's service does not answer or refuses: no `VaultError`, for the secret is not lost."""

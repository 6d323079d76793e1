"""API keys: how they look, how they are checked without a database, how they are stored.

`parl_live_` + 43 base62 (256 random bits) + 6 base62 of the CRC32 of all before. The checksum refuses typos and
garbage for a microsecond; security rests on the random part alone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import zlib
from base64 import urlsafe_b64decode
from dataclasses import dataclass

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ALLOWED = frozenset(_ALPHABET)
_RANDOM_LENGTH = 43
_CHECK_LENGTH = 6
_PREFIXES = {True: "parl_live_", False: "parl_test_"}
_OPERATOR = "parl_op_"  # a kind of its own: it opens what is the operator's, and nothing of a tenant

SCOPES = frozenset(
    {
        "transcriptions:read",
        "transcriptions:write",
        "speech:read",
        "speech:write",
        "speech:manage",
        "content_policy:manage",
        "uploads:manage",
        "destinations:manage",
        "provider_credentials:manage",
        "webhooks:manage",
        "api_keys:manage",
        "members:manage",
        "audit_log:read",
        "usage:read",
        "billing:manage",
    }
)


@dataclass(frozen=True, slots=True)
class Peppers:
    """Versioned secrets mixed into every digest; the newest makes new keys, the older still verify."""

    by_version: dict[int, bytes]

    @property
    def newest(self) -> int:
        return max(self.by_version)

    def digest(self, key: str, version: int) -> bytes:
        """HMAC-SHA256 of the key: a random 256-bit key needs no slow hash."""
        return hmac.digest(self.by_version[version], key.encode(), hashlib.sha256)

    def digests(self, key: str) -> list[bytes]:
        """One digest per pepper, newest first."""
        return [self.digest(key, version) for version in sorted(self.by_version, reverse=True)]


def parse_versions(text: str) -> dict[int, bytes]:
    """`"1:<base64url>,2:<base64url>"` as bytes by version.

    Raises ValueError, without the secret in its text, when the form is wrong or a value is shorter than 32 bytes.
    """
    found: dict[int, bytes] = {}
    for part in text.split(","):
        version, _, encoded = part.strip().partition(":")
        value = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)) if version.isdigit() else b""
        if len(value) < 32:
            raise ValueError("must look like 1:<base64url of at least 32 bytes>")
        found[int(version)] = value
    return found


def generate(*, livemode: bool) -> str:
    """A new key of a tenant; it is shown once and never stored."""
    return _made(_PREFIXES[livemode])


def generate_operator() -> str:
    """A new key of the operator's; it is shown once and never stored."""
    return _made(_OPERATOR)


def is_well_formed(key: str) -> bool:
    """Whether the text can be a tenant's key at all: form and checksum, no database.

    >>> is_well_formed("parl_live_nonsense")
    False
    """
    return any(_fits(key, prefix) for prefix in _PREFIXES.values())


def is_operators(key: str) -> bool:
    """Whether the text can be a key of the operator's: form and checksum, no database.

    >>> is_operators(generate_operator()), is_well_formed(generate_operator())
    (True, False)
    """
    return _fits(key, _OPERATOR)


def hint(key: str) -> str:
    """What people see of a key later: its kind and last four characters."""
    return f"{key[: key.rindex('_') + 1]}…{key[-4:]}"


def _made(prefix: str) -> str:
    body = prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return body + _checksum(body)


def _fits(key: str, prefix: str) -> bool:
    if not key.startswith(prefix) or len(key) != len(prefix) + _RANDOM_LENGTH + _CHECK_LENGTH:
        return False
    body, check = key[:-_CHECK_LENGTH], key[-_CHECK_LENGTH:]
    return _ALLOWED.issuperset(key[len(prefix) :]) and _checksum(body) == check


def _checksum(body: str) -> str:
    number, letters = zlib.crc32(body.encode()), []
    for _ in range(_CHECK_LENGTH):
        number, rest = divmod(number, 62)
        letters.append(_ALPHABET[rest])
    return "".join(reversed(letters))

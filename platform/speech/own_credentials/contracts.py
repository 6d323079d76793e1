"""What a tenant may bring, and what becomes of it. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

OWN: Final = "own"  # the place in an executor's name: "cloud:deepgram:own"
MAX_SECRET_BYTES: Final = 8_192  # a service account's file is a third of it


@dataclass(frozen=True, slots=True)
class Kind:
    """A provider that takes own credentials: what they are called, and where it can work."""

    secret_name: str
    regions: tuple[str, ...] = ()
    any_region: bool = False  # beside `regions`: whatever its cloud calls one


KINDS: Final[dict[str, Kind]] = {
    "assemblyai": Kind("API key", regions=("us", "eu")),
    "deepgram": Kind("API key"),
    "google": Kind("JSON file of a service account", regions=("us", "eu", "global"), any_region=True),
    "openai": Kind("API key"),
    "azure": Kind("key of a Speech resource", any_region=True),
}


@dataclass(frozen=True, slots=True)
class OwnCredential:
    """Credentials as engines take them."""

    provider: str
    secret: str = field(repr=False)
    region: str = ""


def is_own(executor: str) -> bool:
    """Whether it runs on a tenant's own credentials.

    >>> is_own("cloud:deepgram:own"), is_own("cloud:deepgram:eu")
    (True, False)
    """
    return executor.endswith(f":{OWN}")


def last4(provider: str, secret: str) -> str:
    """What people recognize them by: never more than four characters, and of a short secret none.

    >>> last4("deepgram", "0123456789abcdef0123456789abcdef"), last4("deepgram", "short")
    ('cdef', '')
    >>> last4("google", '{"private_key_id": "0123456789abcdef", "private_key": "-----BEGIN"}')
    'cdef'
    """
    known = _key_id(secret) if provider == "google" else secret
    return known[-4:] if len(known) >= 12 and known.isascii() and known[-4:].isalnum() else ""


def _key_id(secret: str) -> str:
    try:
        account = json.loads(secret)
    except ValueError:
        return ""
    return str(account.get("private_key_id", "")) if isinstance(account, dict) else ""


def region_fault(provider: str, region: str) -> str | None:
    """What is wrong with a region, as a sentence.

    >>> region_fault("assemblyai", "eu"), region_fault("deepgram", "eu")
    (None, 'deepgram takes no region. Leave it out.')
    >>> region_fault("azure", "")
    'Name the region of the resource, such as koreacentral.'
    """
    kind = KINDS[provider]
    if not kind.regions and not kind.any_region:
        return f"{provider} takes no region. Leave it out." if region else None
    if not region and not kind.regions:
        return "Name the region of the resource, such as koreacentral."
    if region and region not in kind.regions and not kind.any_region:
        return f"{provider} works in {', '.join(kind.regions)}."
    return None

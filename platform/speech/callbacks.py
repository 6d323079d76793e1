"""Where providers bring their results: a URL for each call, which nobody can guess.

It holds the call's place and our signature, so that nothing needs to be stored to know it again; and each provider
proves in its own way, with the call's secret, that it is the one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from dispatch.facade import Attempt
from speech.engines.ports import Callback, Capabilities

PATH: Final = "/v1/callbacks/"
MARK_BYTES: Final = 21  # with the place, a multiple of three: no padding in the URL
PLACE_BYTES: Final = 36


@dataclass(frozen=True, slots=True)
class CalledPlace:
    """The call that a URL is for."""

    tenant_id: UUID
    job_id: UUID
    number: int

    def to_bytes(self) -> bytes:
        return self.tenant_id.bytes + self.job_id.bytes + self.number.to_bytes(4)


def wanted(able: Capabilities) -> bool:
    """Whether the engine is to call back: it can, and our address is one that a provider can reach."""
    reachable = settings.PROVIDER_CALLBACKS == "on" or (
        settings.PROVIDER_CALLBACKS == "auto" and urlsplit(settings.PUBLIC_URL).scheme == "https"
    )
    return able.calls_back and (reachable or able.quality == "simulated")


def callback_of(tenant_id: UUID, attempt: Attempt) -> Callback:
    """What a provider is given; the same for whoever resumes the call."""
    place = CalledPlace(tenant_id, attempt.job_id, attempt.number).to_bytes()
    token = base64.urlsafe_b64encode(place + _mark(b"url", place)).decode()
    secret = base64.urlsafe_b64encode(_mark(b"proof", place)).decode().rstrip("=")
    return Callback(f"{settings.PUBLIC_URL}{PATH}{token}", secret=secret)


def place_of(token: str) -> CalledPlace | None:
    """The call of a URL of ours; None for anything else."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError:
        return None
    place, mark = raw[:PLACE_BYTES], raw[PLACE_BYTES:]
    if not hmac.compare_digest(mark, _mark(b"url", place)):
        return None
    return CalledPlace(UUID(bytes=place[:16]), UUID(bytes=place[16:32]), int.from_bytes(place[32:]))


def _mark(purpose: bytes, place: bytes) -> bytes:
    return hmac.digest(_key(), purpose + b"|" + place, "sha256")[:MARK_BYTES]


@lru_cache(maxsize=1)
def _key() -> bytes:
    return hashlib.sha256(b"provider-callbacks|" + settings.SECRET_KEY.encode()).digest()

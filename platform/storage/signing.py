"""Signed URLs of the local store: `/v1/blobs/{key}?exp=&method=&len=&ct=&sha256=&name=&part=&sig=`.

>>> signer = UrlSigner([b"k" * 32], clock=lambda: 1000.0)
>>> url = signer.sign(Grant("PUT", "t/a", expires_at_s=1060, size_bytes=5, content_type="audio/wav"))
>>> url
'/v1/blobs/t/a?exp=1060&method=PUT&len=5&ct=audio%2Fwav&sig=ZGmqnHP9c2hTs5UUKOEQ8YAnyUQkeGpPwcAstVP9_1Y'
>>> signer.verify("t/a", query=url.partition("?")[2]).size_bytes
5
>>> signer.verify("t/b", query=url.partition("?")[2])
Traceback (most recent call last):
storage.signing.SignatureInvalid
"""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode

PREFIX = "/v1/blobs/"
MIN_SECRET_BYTES = 32
_NAMES = frozenset({"exp", "method", "len", "ct", "sha256", "name", "part", "sig"})

Method = Literal["GET", "PUT"]


class SignatureInvalid(Exception):
    """The URL was not signed by us as it stands."""


class UrlExpired(Exception):
    """The URL was ours but its time is over."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one signed URL allows; every field is bound by the signature."""

    method: Method
    key: str
    expires_at_s: int
    size_bytes: int | None = None
    content_type: str | None = None
    sha256_hex: str | None = None
    filename: str | None = None
    part: int | None = None


class UrlSigner:
    """Signs with the first secret and accepts all of them, so that a secret can be rotated."""

    def __init__(
        self, secrets: Sequence[bytes], *, prefix: str = PREFIX, clock: Callable[[], float] = time.time
    ) -> None:
        if not secrets or any(len(secret) < MIN_SECRET_BYTES for secret in secrets):
            raise ValueError(f"blob URL secrets need at least {MIN_SECRET_BYTES} bytes each")
        self._secrets = tuple(secrets)
        self._clock = clock
        self.prefix = prefix

    def now_s(self) -> int:
        """Returns the clock in whole seconds since 1970."""
        return int(self._clock())

    def sign(self, grant: Grant) -> str:
        """Returns path and query of the signed URL."""
        query = urlencode(_params(grant) | {"sig": _signature(grant, secret=self._secrets[0])})
        return f"{self.prefix}{quote(grant.key)}?{query}"

    def verify(self, key: str, *, query: str) -> Grant:
        """Returns what a query allows for a key; raises `SignatureInvalid` or `UrlExpired`."""
        grant, signature = _read(key, query=query)
        # Every secret is tried, always: the time must not tell which one is in use.
        matches = [hmac.compare_digest(signature, _signature(grant, secret=secret)) for secret in self._secrets]
        if not any(matches):
            raise SignatureInvalid
        if grant.expires_at_s <= self._clock():
            raise UrlExpired
        return grant


def _params(grant: Grant) -> dict[str, str]:
    values = {
        "exp": grant.expires_at_s,
        "method": grant.method,
        "len": grant.size_bytes,
        "ct": grant.content_type,
        "sha256": grant.sha256_hex,
        "name": grant.filename,
        "part": grant.part,
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def _signature(grant: Grant, *, secret: bytes) -> str:
    # urlencode escapes line breaks and separators, so no two grants give the same message.
    message = f"parlance-blob-1\n{quote(grant.key)}\n{urlencode(_params(grant))}"
    digest = hmac.digest(secret, message.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _read(key: str, *, query: str) -> tuple[Grant, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=len(_NAMES))
        params = dict(pairs)
        if len(params) != len(pairs) or not params.keys() <= _NAMES:
            raise SignatureInvalid
        grant = Grant(
            method="PUT" if params["method"] == "PUT" else "GET",
            key=key,
            expires_at_s=int(params["exp"]),
            size_bytes=int(params["len"]) if "len" in params else None,
            content_type=params.get("ct"),
            sha256_hex=params.get("sha256"),
            filename=params.get("name"),
            part=int(params["part"]) if "part" in params else None,
        )
        return grant, params["sig"].encode("ascii").decode()
    except (KeyError, ValueError):
        raise SignatureInvalid from None

"""Verifies webhooks (https://www.standardwebhooks.com) and gives typed events.

event = parlance.webhooks.unwrap(request.body, request.headers, secret="whsec_…")
if event.type == "transcription.completed":
    print(event.data.id)
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError

from parlance._errors import WebhookVerificationError
from parlance._generated import events as _events
from parlance._generated.events import *  # noqa: F403
from parlance._generated.events import EVENTS, WebhookEvent
from parlance._model import UnknownEvent

__all__ = ["TOLERANCE_S", "UnknownEvent", "WebhookEvent", "WebhookVerificationError", "sign", "unwrap", "verify"]
__all__ += _events.__all__

TOLERANCE_S = 300  # what the specification recommends
SECRET, PUBLIC_KEY = "whsec_", "whpk_"
MAX_SIGNATURES = 32  # a header with more is an attempt to keep us busy


def unwrap(
    body: bytes | str,
    headers: Mapping[str, str],
    *,
    secret: str | Sequence[str],
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> WebhookEvent:
    """The event of a request that is really from your Parlance server; raises `WebhookVerificationError`, nothing else.

    `body`: the raw bytes, as they came. `secret`: `whsec_…` of the endpoint, or its public key `whpk_…` (`v1a`
    signatures; needs `pip install "parlance[ed25519]"`), or several during a rotation: one that fits is enough.
    `tolerance_s`: how old, or how far ahead, a request may be. A type that this version does not know, and data that
    does not fit it, come as `UnknownEvent`.
    """
    raw = _raw(body)
    event_id = verify(raw, headers, secret=secret, tolerance_s=tolerance_s, now=now)
    return _event(raw, event_id)


def verify(
    body: bytes,
    headers: Mapping[str, str],
    *,
    secret: str | Sequence[str],
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> str:
    """The event's id, once the signature is right and the time is near; raises `WebhookVerificationError`."""
    body, found, keys = _raw(body), _lowered(headers), _keys(secret)
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if not found.get(name)]
    if missing:
        raise WebhookVerificationError(f"Not a signed webhook: {', '.join(missing)} missing.")
    event_id, timestamp = found["webhook-id"], found["webhook-timestamp"]
    _check_time(timestamp, tolerance_s, time.time() if now is None else now)
    signed = f"{event_id}.{timestamp}.".encode("utf-8", "surrogateescape") + body
    signatures = found["webhook-signature"].split(" ", MAX_SIGNATURES)[:MAX_SIGNATURES]
    # Every key against every signature, whatever was found before: how long it takes tells nothing.
    fits = [_fits(key, signed, signatures) for key in keys]
    if not any(fits):
        raise WebhookVerificationError("No signature fits: another secret, or a body that was changed on its way.")
    return event_id


def sign(body: bytes, *, secret: str, event_id: str, timestamp: int) -> dict[str, str]:
    """The three headers of a webhook of your own: for tests of a receiver."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{_hmac(_secret(secret), signed)}",
    }


def _raw(body: bytes | str) -> bytes:
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")  # what is no text fits no signature
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    raise WebhookVerificationError("body must be the raw bytes of the request, not what was read from them.")


def _keys(secret: str | Sequence[str]) -> list[str]:
    """Raises where one is missing: anyone can sign with an empty secret, such as that of a variable that is not set."""
    keys = [secret] if isinstance(secret, str) else list(secret) if isinstance(secret, Sequence) else []
    if not keys or not all(isinstance(key, str) and key.removeprefix(SECRET) for key in keys):
        raise WebhookVerificationError("There is no secret to verify with. Is its variable set?")
    return keys


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    try:
        return {_text(name).lower(): _text(value) for name, value in headers.items()}
    except (AttributeError, TypeError, ValueError):
        raise WebhookVerificationError("headers must be a mapping of names to values.") from None


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _check_time(timestamp: str, tolerance_s: float, now: float) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise WebhookVerificationError("webhook-timestamp is no number of seconds.")
    if not abs(now - int(timestamp)) <= tolerance_s:  # so that NaN is refused
        raise WebhookVerificationError(f"The request is not of the last {tolerance_s:g} s: a copy, or a wrong clock.")


def _fits(key: str, signed: bytes, signatures: Iterable[str]) -> bool:
    if key.startswith(PUBLIC_KEY):
        return _fits_public_key(_decoded(key[len(PUBLIC_KEY) :]), signed, signatures)
    expected = f"v1,{_hmac(_secret(key), signed)}".encode()
    return any(
        [  # noqa: C419  # all of them, whatever the first says
            hmac.compare_digest(expected, given.encode("utf-8", "replace")) for given in signatures
        ]
    )


def _secret(key: str) -> bytes:
    return _decoded(key.removeprefix(SECRET))


def _decoded(shown: str) -> bytes:
    try:
        return b64decode(shown, validate=True)
    except ValueError:  # binascii.Error is one
        raise WebhookVerificationError("A secret is whsec_ or whpk_ and base64: copy it again.") from None


def _hmac(key: bytes, signed: bytes) -> str:
    return b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _fits_public_key(key: bytes, signed: bytes, signatures: Iterable[str]) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise WebhookVerificationError('A public key needs cryptography: pip install "parlance[ed25519]".') from None
    fits = []
    for given in signatures:
        version, _, shown = given.partition(",")
        if version != "v1a":
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(b64decode(shown, validate=True), signed)
            fits.append(True)
        except (InvalidSignature, ValueError):
            fits.append(False)
    return any(fits)


def _event(body: bytes, event_id: str) -> WebhookEvent:
    try:
        shown: Any = json.loads(body)
        kind = EVENTS.get(str(shown["type"]), UnknownEvent)
        told = {**shown, "id": event_id}
    except (ValueError, TypeError, KeyError, RecursionError):
        raise WebhookVerificationError("The signature is right, but the body is no event.") from None
    for wanted in (kind, UnknownEvent):
        try:
            return cast(WebhookEvent, wanted.model_validate(told))
        except ValidationError:
            continue
    raise WebhookVerificationError("The signature is right, but the body is no event.")

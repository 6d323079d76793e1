"""Standard Webhooks 1.0.0, symmetric signatures (`v1`): HMAC-SHA256 over id, time and the raw body.

Our own few lines, because the PyPI package's `sign` shifts the time of any datetime that is not in UTC.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence

PREFIX = "whsec_"
KEY_BYTES = 32  # the specification allows 24 to 64


def new_secret() -> str:
    """Returns a new signing secret in its shown form, `whsec_` and base64."""
    return PREFIX + b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def sign(body: bytes, *, message_id: str, timestamp: int, secret: str) -> str:
    """Returns one `v1,…` signature; `timestamp` is Unix seconds of this attempt.

    >>> sign(b'{"test": 2432232314}', message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330,
    ...      secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    if "." in message_id:
        raise ValueError("a webhook id must not hold a dot: it separates what is signed")
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.digest(_key(secret), signed, hashlib.sha256)
    return f"v1,{b64encode(digest).decode()}"


def headers(body: bytes, *, message_id: str, timestamp: int, secrets: Sequence[str]) -> dict[str, str]:
    """Returns the three headers; during a rotation every valid secret signs, the newest first."""
    signatures = [sign(body, message_id=message_id, timestamp=timestamp, secret=each) for each in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _key(secret: str) -> bytes:
    try:
        return b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a signing secret must be base64 after its prefix") from None

"""Standard Webhooks 1.0.0: `v1` is HMAC-SHA256 and `v1a` ed25519, both over id, time and the raw body.

Our own few lines, because the PyPI package's `sign` shifts the time of any datetime that is not in UTC, and no
official library makes `v1a`.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX = "whsec_"
PRIVATE_PREFIX, PUBLIC_PREFIX = "whsk_", "whpk_"
KEY_BYTES = 32  # the specification allows 24 to 64
_HALF_BYTES = 32  # a signing key is the private half followed by the public one


def new_secret() -> str:
    """Returns a new signing secret in its shown form, `whsec_` and base64."""
    return PREFIX + b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def new_signing_key() -> str:
    """Returns a new pair of keys for `v1a`, `whsk_` and base64 of both halves."""
    private = Ed25519PrivateKey.generate()
    return PRIVATE_PREFIX + b64encode(private.private_bytes_raw() + private.public_key().public_bytes_raw()).decode()


def public_key(signing_key: str) -> str:
    """Returns the half that receivers verify with, `whpk_` and base64.

    >>> public_key("whsk_" + b64encode(bytes(32) + b"p" * 32).decode()) == "whpk_" + b64encode(b"p" * 32).decode()
    True
    """
    return PUBLIC_PREFIX + b64encode(_key(signing_key, prefix=PRIVATE_PREFIX)[_HALF_BYTES:]).decode()


def sign(body: bytes, *, message_id: str, timestamp: int, secret: str) -> str:
    """Returns one `v1,…` signature; `timestamp` is Unix seconds of this attempt.

    >>> sign(b'{"test": 2432232314}', message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330,
    ...      secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    digest = hmac.digest(_key(secret, prefix=PREFIX), _signed(body, message_id, timestamp), hashlib.sha256)
    return f"v1,{b64encode(digest).decode()}"


def sign_v1a(body: bytes, *, message_id: str, timestamp: int, signing_key: str) -> str:
    """Returns one `v1a,…` signature, which whoever has the public key can verify and nobody but us can make."""
    private = Ed25519PrivateKey.from_private_bytes(_key(signing_key, prefix=PRIVATE_PREFIX)[:_HALF_BYTES])
    return f"v1a,{b64encode(private.sign(_signed(body, message_id, timestamp))).decode()}"


def headers(
    body: bytes, *, message_id: str, timestamp: int, secrets: Sequence[str], signing_keys: Sequence[str] = ()
) -> dict[str, str]:
    """Returns the three headers; during a rotation every valid secret and key signs, the newest first."""
    signatures = [sign(body, message_id=message_id, timestamp=timestamp, secret=each) for each in secrets]
    signatures += [
        sign_v1a(body, message_id=message_id, timestamp=timestamp, signing_key=each) for each in signing_keys
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def jwk(shown_public_key: str) -> dict[str, str]:
    """Returns a public key as RFC 8037 writes it; `kid` is its RFC 7638 thumbprint, so it stays with the key.

    >>> found = jwk("whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")  # the example key of RFC 8037
    >>> found["x"], found["kid"]
    ('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
    """
    x = _unpadded(_key(shown_public_key, prefix=PUBLIC_PREFIX))
    thumbprint = hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": _unpadded(thumbprint), "use": "sig", "alg": "EdDSA"}


def _signed(body: bytes, message_id: str, timestamp: int) -> bytes:
    if "." in message_id:
        raise ValueError("a webhook id must not hold a dot: it separates what is signed")
    return f"{message_id}.{timestamp}.".encode() + body


def _unpadded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _key(shown: str, *, prefix: str) -> bytes:
    try:
        return b64decode(shown.removeprefix(prefix), validate=True)
    except binascii.Error:
        raise ValueError("a signing secret must be base64 after its prefix") from None

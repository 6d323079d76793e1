"""Codes of an authenticator app (RFC 6238: SHA-1, six digits, 30 s, what every app takes), and secrets at rest.

The cipher's key is derived from PARLANCE_SECRET_KEY; with another one, people are invited anew.
"""

from __future__ import annotations

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings

STEP_S = 30
SECRET_BYTES = 20
NONCE_BYTES = 12


def new_secret() -> bytes:
    """A secret for one person."""
    return os.urandom(SECRET_BYTES)


def accepted_step(secret: bytes, code: str, *, now: int, last_step: int) -> int | None:
    """The time step that the code belongs to (this one or a neighbour, for clocks that differ), or None.

    A step that was used before does not count: who looks over a shoulder has nothing.
    """
    given = code.replace(" ", "").encode()
    for step in (now // STEP_S, now // STEP_S - 1, now // STEP_S + 1):
        if step > last_step and len(given) == 6 and _code(secret, step) == given:
            return step
    return None


def code_at(secret: bytes, now: int) -> str:
    """What the app shows at this second."""
    return _code(secret, now // STEP_S).decode()


def uri(secret: bytes, *, email: str, finance: bool = True) -> str:
    """What the QR code holds."""
    return _totp(secret).get_provisioning_uri(email, "Parlance finance" if finance else "Parlance")


def shown_secret(secret: bytes) -> str:
    """For typing it in by hand."""
    return base64.b32encode(secret).decode()


def seal(secret: bytes, *, staff_id: str) -> bytes:
    """The secret for its row; it opens for this person only."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, secret, staff_id.encode())


def unseal(sealed: bytes, *, staff_id: str) -> bytes | None:
    """The secret, or None when it was sealed for somebody else or under another key."""
    try:
        return _cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], staff_id.encode())
    except InvalidTag:
        return None


def _code(secret: bytes, step: int) -> bytes:
    return _totp(secret).generate(step * STEP_S)


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, 6, SHA1(), STEP_S)  # noqa: S303  # the RFC's own; other hashes are not taken by all apps


def _cipher() -> AESGCM:
    derived = HKDF(SHA256(), 32, None, b"parlance staff totp").derive(settings.SECRET_KEY.encode())
    return AESGCM(derived)

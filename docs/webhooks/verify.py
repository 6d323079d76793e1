"""Verify a webhook of Parlance with Python's standard library alone."""

import base64
import hmac
import os
import re
import sys
import time
from collections.abc import Iterable, Mapping

TOLERANCE_S = 300  # an older message may be a copy that somebody kept


def verify(body: bytes, headers: Mapping[str, str], secrets: Iterable[str]) -> bool:
    """Tell whether Parlance signed this raw body just now, with any of the secrets; header names in lower case."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False
    signed = f"{message_id}.{timestamp}.".encode(errors="replace") + body
    given = [each.encode(errors="replace") for each in headers.get("webhook-signature", "").split(" ")]
    expected = [signature(signed, secret) for secret in secrets]
    return any(hmac.compare_digest(ours, theirs) for ours in expected for theirs in given)


def signature(signed: bytes, secret: str) -> bytes:
    """Return what the header must hold for this secret."""
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    if len(key) < 24:
        raise ValueError("a secret is whsec_ and the base64 of at least 24 bytes")
    return b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256"))


if __name__ == "__main__":  # as a CGI script: headers in the environment, the body on standard input
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    headers = {name: os.environ.get("HTTP_" + name.upper().replace("-", "_"), "") for name in names}
    if not verify(sys.stdin.buffer.read(), headers, os.environ["WEBHOOK_SECRETS"].split()):
        sys.exit("refused")
    sys.stdout.write("verified\n")

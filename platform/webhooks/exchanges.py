"""What the log keeps of one exchange: chosen headers and the beginning of the answer, sealed for its tenant."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist

from tenants.facade import Place, VaultError, seal, tenant_context, tenant_ref, unseal
from webhooks.contracts import Outcome

EXCERPT_BYTES = 2048
MAX_VALUE_CHARS = 256  # of one header; an answer may bring 64 kB of them
# Neither signatures nor what the tenant sends along: those may be secrets, and nobody needs them to find a fault.
SENT = frozenset({"webhook-id", "webhook-timestamp", "content-type", "user-agent"})
RECEIVED = (
    "content-type", "content-length", "content-encoding", "date", "location", "retry-after", "server",
    "www-authenticate", "request-id", "x-request-id", "cf-ray",
)  # fmt: skip
HIDDEN = "…"
MIN_SECRET_CHARS = 6  # shorter values are words, and hiding them would garble answers


@dataclass(frozen=True, slots=True)
class Exchange:
    """An attempt's exchange as its tenant may read it."""

    sent: Mapping[str, str] = field(repr=False)
    received: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)


def sent_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The request's headers; of those that may hold secrets the names only.

    >>> sent_headers({"webhook-id": "evt_1", "webhook-signature": "v1,abc", "authorization": "Bearer x"})
    {'webhook-id': 'evt_1', 'webhook-signature': '…', 'authorization': '…'}
    """
    return {name: value if name in SENT else HIDDEN for name, value in headers.items()}


def received_headers(headers: Mapping[str, str], *, secret: Iterable[str] = ()) -> dict[str, str]:
    """The headers of an answer that help to find a fault, each bounded, with nothing that was sent in confidence.

    >>> received_headers({"retry-after": "9" * 999, "set-cookie": "a=b"})["retry-after"] == "9" * 256
    True
    """
    kept = {name: headers[name] for name in RECEIVED if name in headers}
    hidden = list(secret)
    return {
        name: excerpt(value.encode(), secret=hidden, max_bytes=MAX_VALUE_CHARS).decode(errors="ignore")
        for name, value in kept.items()
    }


def excerpt(body: bytes, *, secret: Iterable[str], max_bytes: int) -> bytes:
    """The beginning of an answer; what was sent in confidence and comes back in it is hidden.

    >>> excerpt(b"You sent: Bearer abc123456!", secret=["Bearer abc123456"], max_bytes=100).decode()
    'You sent: …!'
    """
    values = sorted((value.encode() for value in secret if len(value) >= MIN_SECRET_CHARS), key=len, reverse=True)
    for value in values:  # before the cut, so that a value across it is found whole
        body = body.replace(value, HIDDEN.encode())
    return body[:max_bytes]


def sealed(outcome: Outcome) -> bytes | None:
    """The exchange under the tenant's key, because a receiver may echo content; None where nothing was sent."""
    answer, claim = outcome.answer, outcome.claim
    if not answer.sent:
        return None
    kept = {
        "sent": dict(answer.sent),
        "received": dict(answer.headers),
        # Every byte that is no text would become three: bounded again as what is stored.
        "body": answer.body.decode("utf-8", "replace").encode()[:EXCERPT_BYTES].decode("utf-8", "ignore"),
    }
    try:
        with tenant_context(tenant_ref(claim.tenant_id)):
            text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
            return seal(text.encode(), place=_place(claim.tenant_id, claim.id, claim.attempt))
    except (VaultError, ObjectDoesNotExist):
        return None  # the tenant was erased meanwhile


def opened(stored: bytes | None, *, tenant_id: UUID, delivery_id: UUID, number: int) -> Exchange | None:
    """What `sealed` stored; None where nothing is kept or its key is gone. Needs the tenant's context."""
    if stored is None:
        return None
    try:
        kept = json.loads(unseal(bytes(stored), place=_place(tenant_id, delivery_id, number)))
    except VaultError:
        return None
    return Exchange(sent=kept["sent"], received=kept["received"], body=kept["body"])


def _place(tenant_id: UUID, delivery_id: UUID, number: int) -> Place:
    # The same for the ring of successes: the exchange belongs to its attempt, wherever it is kept.
    return Place(tenant_id, "delivery_attempt", "response", f"{delivery_id}/{number}")

"""One POST: sign the stored bytes, send them through the guarded way out, tell what came back."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from apikit import ids
from egress.facade import Client, EgressError, Policy
from observe.facade import failpoint, get_logger
from webhooks import signing
from webhooks.contracts import Answer, Parcel
from webhooks.destinations import check_destination
from webhooks.exchanges import EXCERPT_BYTES, excerpt, received_headers, sent_headers

USER_AGENT = "Parlance/1 (+webhooks)"

_log = get_logger(__name__)


def post(parcel: Parcel, *, client: Client, allowed: Policy) -> Answer:
    """Send one delivery; never raises, because whatever happens is the attempt's result."""
    started_at, sent = time.monotonic(), dict[str, str]()
    try:
        check_destination(parcel.destination.url, allowed=allowed, resolve=False)
        headers = _headers(parcel)
        sent = sent_headers(headers)
        failpoint("webhook.before_post")
        response = client.request("POST", url=parcel.destination.url, headers=headers, content=parcel.body)
        failpoint("webhook.after_post")
    except EgressError as error:
        return Answer(status=None, error=error.code, latency_ms=_elapsed_ms(started_at), sent=sent)
    except Exception as error:
        # Only its kind: the text of an unforeseen error could quote the URL or the body.
        _log.error("webhook_post_failed", kind=type(error).__name__, delivery_id=str(parcel.claim.id))
        return Answer(status=None, error="sender_error", latency_ms=_elapsed_ms(started_at), sent=sent)
    return Answer(
        status=response.status,
        error=None,
        retry_after=response.header("retry-after"),
        latency_ms=response.elapsed_ms,
        body=excerpt(response.body, secret=parcel.destination.headers.values(), max_bytes=EXCERPT_BYTES),
        headers=received_headers(dict(response.headers), secret=parcel.destination.headers.values()),
        sent=sent,
    )


def _headers(parcel: Parcel) -> dict[str, str]:
    now = datetime.now(UTC)
    signed = signing.headers(
        parcel.body,
        message_id=ids.show(ids.EVENT, parcel.claim.event_id),
        timestamp=int(now.timestamp()),
        secrets=parcel.destination.secrets_at(now),
        signing_keys=parcel.destination.signing_keys_at(now),
    )
    return {**parcel.destination.headers, **signed, "content-type": "application/json", "user-agent": USER_AGENT}


def _elapsed_ms(started_at: float) -> int:
    return round((time.monotonic() - started_at) * 1000)

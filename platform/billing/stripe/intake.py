"""`POST /v1/billing/stripe/webhook`: an event is checked and noted, and that is all; its effect comes from elsewhere.

The signature is verified here and not by the SDK: it is five lines, and the SDK would cost every API process 31 MB.
A test compares both.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from apikit.asgi import Receive, Scope, Send, header, read_body, refuse, send_json
from apikit.dialects import render
from apikit.facade import Problem, not_found, unavailable
from apikit.front import REQUEST_ID
from apikit.threads import in_request_thread
from billing.stripe.settings import stripe_settings

PATH = "/v1/billing/stripe/webhook"
TOLERANCE_S = 300  # the SDK's own default
MAX_EVENT_BYTES = 1_000_000
_NOTE = """INSERT INTO public.stripe_event (event_id, type, object_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"""


async def serve_webhook(scope: Scope, receive: Receive, send: Send) -> None:
    """200 once the event is stored, also when it was before; a problem otherwise, and Stripe sends it again."""
    read = False
    try:
        if scope["method"] != "POST":
            raise Problem("method_not_allowed", 405, "This path takes POST.", headers={"Allow": "POST"})
        found = stripe_settings()
        if found is None:
            raise not_found("webhook")
        body = await read_body(receive, max_bytes=MAX_EVENT_BYTES)
        read = True
        check_signature(
            header(scope, b"stripe-signature") or "", body, secret=found.webhook_secret, now=int(time.time())
        )
        await in_request_thread(note_event, *_named(body))
    except Problem as problem:
        await _refuse(problem, scope, receive, send, read)
    except DatabaseError:
        await _refuse(unavailable(), scope, receive, send, read)
    else:
        await send_json(send, status=200, body={"received": True}, headers={"Request-Id": scope[REQUEST_ID]})


def check_signature(given: str, body: bytes, *, secret: str, now: int) -> None:
    """Raises a 400 `Problem` unless one `v1` signature of the raw body is right and its time is near.

    Source: docs.stripe.com/webhooks/signature. Times from the future are refused as well.
    """
    pairs = [part.strip().partition("=") for part in given.split(",")]
    moment = next((value for name, _, value in pairs if name == "t"), "")
    if not moment.isascii() or not moment.isdigit():
        raise _bad_signature()
    expected = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    right = any(hmac.compare_digest(expected.encode(), value.encode()) for name, _, value in pairs if name == "v1")
    if not right or abs(now - int(moment[:12])) > TOLERANCE_S:
        raise _bad_signature()


def note_event(event_id: str, kind: str, object_id: str) -> None:
    """Keep an event for the collector; a doubled one is the same row."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [event_id, kind, object_id])


def _named(body: bytes) -> tuple[str, str, str]:
    try:
        event: dict[str, Any] = json.loads(body)
        found = event["id"], event["type"], event["data"]["object"].get("id", "")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Problem("invalid_json", 400, "The body is no event.") from None
    if not all(isinstance(value, str) for value in found) or len(found[0]) > 64 or len(found[1]) > 64:
        raise Problem("invalid_json", 400, "The body is no event.")
    return found[0], found[1], found[2][:96]


def _bad_signature() -> Problem:
    return Problem("invalid_signature", 400, "The Stripe-Signature does not fit the body, or is too old.")


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send, read: bool) -> None:
    shown = render(problem, path=scope["path"], base_url=settings.PUBLIC_URL, request_id=scope[REQUEST_ID])
    shown.headers["Request-Id"] = scope[REQUEST_ID]
    await refuse(shown, receive=receive, send=send, body_read=read)

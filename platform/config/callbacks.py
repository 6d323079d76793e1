"""`POST /v1/callbacks/<secret>`: providers bring results here, without an API key. The secret is one call's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.db import DatabaseError

import speech.facade
from apikit.asgi import Receive, Scope, Send, read_body, refuse, send_json
from apikit.dialects import render
from apikit.facade import Problem, not_found, unavailable
from apikit.front import REQUEST_ID
from apikit.threads import in_request_thread
from observe.facade import get_logger
from speech.facade import CALLBACKS_PATH, Delivered
from storage.facade import StorageUnavailable
from tenants.facade import VaultUnavailable

MAX_BYTES: Final = 33_554_432  # a transcript of ten hours with all its words
AGAIN_S: Final = "5"

log = get_logger(__name__)


async def take_callback(scope: Scope, receive: Receive, send: Send) -> None:
    """204 when it was taken or is not needed any more, 503 when it is to be brought again."""
    read = False
    try:
        if scope["method"] != "POST":
            detail = "This path takes POST. Check the method against the API reference."
            raise Problem("method_not_allowed", 405, detail, headers={"Allow": "POST"})
        place = speech.facade.place_of(scope["path"].removeprefix(CALLBACKS_PATH))
        if place is None:
            raise not_found("callback")
        body, read = await read_body(receive, max_bytes=MAX_BYTES), True
        _check(await in_request_thread(speech.facade.deliver, place, headers=_headers(scope), body=body))
    except Problem as problem:
        await _refuse(problem, scope, receive, send, body_read=read)
    except (DatabaseError, StorageUnavailable, VaultUnavailable):
        await _refuse(unavailable(), scope, receive, send, body_read=read)
    else:
        await send_json(send, status=200, body={}, headers={"Request-Id": scope[REQUEST_ID]})


def _check(delivered: Delivered) -> None:
    log.info("callback", result=delivered)
    if delivered == "refused":
        raise Problem("callback_refused", 403, "This is not what the provider of this call would send.")
    if delivered == "not_yet":
        detail = "The call is being worked on at this moment. Bring it again."
        raise Problem("callback_not_awaited", 503, detail, headers={"Retry-After": AGAIN_S})


def _headers(scope: Scope) -> Mapping[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send, *, body_read: bool) -> None:
    # Not the path itself: it is the secret.
    shown = render(problem, path=CALLBACKS_PATH, base_url=settings.PUBLIC_URL, request_id=scope[REQUEST_ID])
    shown.headers["Request-Id"] = scope[REQUEST_ID]
    await refuse(shown, receive=receive, send=send, body_read=body_read)

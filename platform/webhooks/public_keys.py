"""`GET /.well-known/webhooks-keys/<endpoint id>`: what verifies an endpoint's `v1a` signatures, without an API key.

A JWKS (RFC 7517) of OKP keys (RFC 8037): the newest first, and the one before while a rotation's overlap lasts. Who
knows the id of an endpoint learns its public keys and nothing else; an endpoint without keys is as unknown as none.
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from apikit import ids
from apikit.asgi import Receive, Scope, Send, refuse, send_json
from apikit.dialects import render
from apikit.facade import Problem, not_found, unavailable
from apikit.front import REQUEST_ID
from tenants.facade import PUBLIC, tenant_context
from webhooks.signing import jwk

PATH = "/.well-known/webhooks-keys/"
FRESH_S = 300  # a rotation overlaps for longer than this, or means to cut off at once


async def serve_keys(scope: Scope, receive: Receive, send: Send) -> None:
    """The key set of one endpoint, or a problem."""
    try:
        if scope["method"] != "GET":
            detail = "This path takes GET. Check the method against the API reference."
            raise Problem("method_not_allowed", 405, detail, headers={"Allow": "GET"})
        body = await sync_to_async(key_set, thread_sensitive=False)(scope["path"].removeprefix(PATH))
    except Problem as problem:
        await _refuse(problem, scope, receive, send)
    except DatabaseError:
        await _refuse(unavailable(), scope, receive, send)
    else:
        headers = {"Cache-Control": f"public, max-age={FRESH_S}", "Request-Id": scope[REQUEST_ID]}
        await send_json(send, status=200, body=body, headers=headers, media_type="application/jwk-set+json")


def key_set(shown_id: str) -> dict[str, Any]:
    """The JWKS of the endpoint; raises a 404 `Problem` when it is unknown or has no keys."""
    endpoint_id = ids.parse(ids.WEBHOOK_ENDPOINT, shown_id)
    if endpoint_id is None:
        raise not_found("webhook endpoint")
    close_old_connections()
    with tenant_context(PUBLIC), connection.cursor() as cursor:
        cursor.execute("SELECT public_key FROM public.parlance_webhook_keys(%s)", [endpoint_id])
        keys = [jwk(shown) for (shown,) in cursor.fetchall()]
    if not keys:
        raise not_found("webhook endpoint")
    return {"keys": keys}


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    request_id = scope[REQUEST_ID]
    shown = render(problem, path=scope["path"], base_url=settings.PUBLIC_URL, request_id=request_id)
    shown.headers["Request-Id"] = request_id
    await refuse(shown, receive=receive, send=send, body_read=True)

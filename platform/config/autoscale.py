"""`GET /internal/autoscale?executor=media,cloud:*`: what waits for these executors, for whoever starts workers.

With KEDA: trigger `metrics-api`, `valueLocation: work_seconds` (docs/operations.md). Not in the API reference: it is
for the operator's own machines, and tells nothing of tenants.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import parse_qs

from django.db import DatabaseError

from apikit.asgi import Receive, Scope, Send, header, refuse, send_json
from apikit.dialects import render
from apikit.facade import Problem, unavailable
from apikit.front import REQUEST_ID
from apikit.threads import in_request_thread
from dispatch.facade import Load, LoadReader, QueueLoad

PATH: Final = "/internal/autoscale"


class Autoscale:
    """An ASGI application that answers whoever brings the token."""

    def __init__(self, *, token: str, base_url: str) -> None:
        self._token, self._base_url, self._reader = token.encode(), base_url, LoadReader()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check(scope)
            load = await in_request_thread(self._reader.read)
        except Problem as problem:
            await self._refuse(problem, scope, receive, send)
        except DatabaseError:
            await self._refuse(unavailable(), scope, receive, send)
        else:
            await send_json(send, status=200, body=shown(load, _patterns(scope)), headers=_headers(scope))

    def _check(self, scope: Scope) -> None:
        kind, _, token = (header(scope, b"authorization") or "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(token.strip().encode("latin-1"), self._token):
            detail = "Send the value of PARLANCE_AUTOSCALE_TOKEN as `Authorization: Bearer …`."
            raise Problem("autoscale_token_wrong", 401, detail, headers={"WWW-Authenticate": 'Bearer realm="operator"'})
        if scope["method"] != "GET":
            detail = "This path takes GET. Check the method against docs/operations.md."
            raise Problem("method_not_allowed", 405, detail, headers={"Allow": "GET"})

    async def _refuse(self, problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
        rendered = render(problem, path=PATH, base_url=self._base_url, request_id=scope[REQUEST_ID])
        rendered.headers.update(_headers(scope))
        await refuse(rendered, receive=receive, send=send)


def shown(load: Load, patterns: Sequence[str]) -> dict[str, Any]:
    """The sum over the executors, and each queue apart; plain numbers at the top, where an autoscaler finds them.

    `work_seconds` is what one slot would need for all of it: audio over the engine's speed, or what the step costs.
    """
    chosen = load.of(patterns)
    queues = chosen.queues
    return {
        "executors": list(patterns),
        "items": sum(queue.items for queue in queues),
        "busy_items": sum(queue.busy_items for queue in queues),
        "audio_seconds": sum(queue.audio_ms for queue in queues) / 1000,
        "work_seconds": sum(queue.work_ms for queue in queues) / 1000,
        "oldest_seconds": max((queue.oldest_s for queue in queues), default=0),
        "slots": sum((chosen.slots or {}).values()),
        "drain_seconds": chosen.drain_s,
        "queues": [_queue(queue) for queue in queues],
    }


def _queue(queue: QueueLoad) -> dict[str, Any]:
    told = asdict(queue)
    audio_ms, work_ms, oldest_s = (told.pop(name) for name in ("audio_ms", "work_ms", "oldest_s"))
    return told | {"audio_seconds": audio_ms / 1000, "work_seconds": work_ms / 1000, "oldest_seconds": oldest_s}


def _patterns(scope: Scope) -> list[str]:
    """Every executor unless the query names some."""
    given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("executor", ["*"])
    return [word.strip() for part in given for word in part.split(",") if word.strip()]


def _headers(scope: Scope) -> dict[str, str]:
    return {"Request-Id": scope[REQUEST_ID], "Cache-Control": "no-store"}

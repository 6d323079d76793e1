"""How long answers take, by route and status, and the span in which each is made."""

from __future__ import annotations

import time
from dataclasses import dataclass

from apikit.asgi import App, Message, Receive, Scope, Send, header
from observe.facade import Span, record, span
from observe.instruments import HTTP_SECONDS

ROUTE = "parlance.route"  # in the scope, by whoever knows: the path as it was declared
UNKNOWN = "unknown"  # paths that nobody declared are one series
TRACEPARENT = b"traceparent"


@dataclass(slots=True)
class Watched:
    """One request on its way through an application."""

    app: App
    send: Send
    status: int = 0  # nobody was there any more

    async def run(self, scope: Scope, receive: Receive) -> None:
        """Serve the request and record it."""
        begun = time.monotonic()
        with span(f"HTTP {scope['method']}", parent=header(scope, TRACEPARENT) or "") as around:
            _work_on_below(around, scope)
            try:
                await self.app(scope, receive, self._send)
            finally:
                route = scope.get(ROUTE, UNKNOWN)
                record(HTTP_SECONDS, time.monotonic() - begun, scope["method"], route, str(self.status))
                around.set(**{"http.route": route, "http.response.status_code": self.status})
                around.set(**{"parlance.request_id": scope["parlance.request_id"]})

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self.send(message)


def _work_on_below(around: Span, scope: Scope) -> None:
    """The job that this request makes goes on in the request's span, in whatever process."""
    if around.traceparent:
        kept = [pair for pair in scope["headers"] if pair[0] != TRACEPARENT]
        scope["headers"] = [*kept, (TRACEPARENT, around.traceparent.encode())]

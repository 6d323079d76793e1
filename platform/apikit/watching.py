"""How long answers take, by route and status."""

from __future__ import annotations

import time
from dataclasses import dataclass

from apikit.asgi import App, Message, Receive, Scope, Send
from observe.facade import record
from observe.instruments import HTTP_SECONDS

ROUTE = "parlance.route"  # in the scope, by whoever knows: the path as it was declared
UNKNOWN = "unknown"  # paths that nobody declared are one series


@dataclass(slots=True)
class Watched:
    """One request on its way through an application."""

    app: App
    send: Send
    status: int = 0  # nobody was there any more

    async def run(self, scope: Scope, receive: Receive) -> None:
        """Serve the request and record it."""
        begun = time.monotonic()
        try:
            await self.app(scope, receive, self._send)
        finally:
            took_s = time.monotonic() - begun
            record(HTTP_SECONDS, took_s, scope["method"], scope.get(ROUTE, UNKNOWN), str(self.status))

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self.send(message)

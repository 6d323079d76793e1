"""`/finance/`: an ASGI application of its own beside the API, loaded when the first page is asked for.

An API request passes none of it: no session, no template, no middleware.
"""

from __future__ import annotations

from apikit.asgi import Receive, Scope, Send, read_body, refuse
from apikit.dialects import render
from apikit.front import REQUEST_ID
from apikit.problems import Problem
from apikit.threads import in_request_thread

PREFIX = "/finance/"
MAX_FORM_BYTES = 200_000  # a price book of a thousand lines


class FinanceApp:
    """Answers pages, forms and downloads."""

    def __init__(self, *, base_url: str) -> None:
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(receive, max_bytes=MAX_FORM_BYTES)
        except Problem as problem:
            shown = render(problem, path=scope["path"], base_url=self._base_url, request_id=scope[REQUEST_ID])
            await refuse(shown, receive=receive, send=send)
            return
        from console.finance.handling import respond

        status, headers, content = await in_request_thread(respond, scope, body)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content if scope["method"] != "HEAD" else b""})

"""Django behind the front layer: one request is one call on one kept thread.

Stock Django under ASGI starts two threads per request and goes back and forth between them and the event loop. The
front layer has the whole body already, so the request can run in plain synchronous Django, on a thread whose database
connection stays. Views are synchronous for that reason; waiting is the front layer's business (ADR 0004).
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import django
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.urls import set_script_prefix

from apikit.asgi import Receive, Scope, Send
from apikit.forms import Form
from apikit.front import FORM
from apikit.problems import Problem, unavailable
from apikit.threads import in_request_thread
from apikit.watching import ROUTE
from storage.facade import StorageUnavailable


class Handler(BaseHandler):
    """An ASGI application that answers whole requests with whole answers."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive()).get("body", b"")
        start, content = await in_request_thread(self._respond, scope, body)
        await send(start)
        await send({"type": "http.response.body", "body": content})

    def _respond(self, scope: Scope, body: bytes) -> tuple[dict[str, Any], bytes]:
        set_script_prefix("/")
        _keep_file(scope)
        try:
            request = ASGIRequest(scope, BytesIO(body))
        except UnicodeDecodeError:
            raise Problem("bad_request", 400, "The request line is not UTF-8. Percent-encode it.") from None
        response = self.get_response(request)
        if request.resolver_match is not None:
            scope[ROUTE] = request.resolver_match.route
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
        # Not closed: that would only look through all connections once more, and the next request does.
        content = b"".join(response)
        return {"type": "http.response.start", "status": response.status_code, "headers": headers}, content


def _keep_file(scope: Scope) -> None:
    """A small file of a form, brought into the store here: a thread of its own would cost more than the file."""
    form: Form | None = scope.get(FORM)
    try:
        if form is not None:
            form.keep()
    except StorageUnavailable:
        raise unavailable() from None


def make_handler() -> Handler:
    """The handler, with Django set up."""
    django.setup(set_prefix=False)
    return Handler()

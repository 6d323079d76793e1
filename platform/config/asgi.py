"""The ASGI application: `granian --interface asgi config.asgi:application`."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config.handler import make_handler

_django = make_handler()

from django.conf import settings

from apikit.asgi import App, Receive, Scope, Send, send_json
from apikit.facade import Front
from config import health
from config.api import openapi
from config.guard import ApiGuard
from observe.facade import configure
from storage.facade import BlobApp, store, url_signer

configure(service="web")


async def _openapi(scope: Scope, receive: Receive, send: Send) -> None:
    await send_json(send, status=200, body=openapi())


def _public() -> dict[str, App]:
    routes: dict[str, App] = {"/livez": health.livez, "/readyz": health.readyz, "/openapi.json": _openapi}
    if settings.S3 is None:
        routes["/v1/blobs/"] = BlobApp(store(), signer=url_signer(), problem_base_url=settings.PUBLIC_URL)
    return routes


application = Front(django=_django, guard=ApiGuard(), base_url=settings.PUBLIC_URL, public=_public())

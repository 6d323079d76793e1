"""The front layer with its public routes."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from apikit.asgi import App, Receive, Scope, Send, send_json
from apikit.facade import Front
from billing.stripe.facade import WEBHOOK_PATH, serve_webhook
from config import health
from config.api import openapi
from config.autoscale import PATH as AUTOSCALE_PATH
from config.autoscale import Autoscale
from config.callbacks import take_callback
from config.guard import ApiGuard
from config.origins import origins_of
from config.pages.app import Pages
from config.quarantine import Quarantine
from console.facade import PREFIX, FinanceApp
from observe.facade import configure, export_traces, serve_metrics
from speech.facade import CALLBACKS_PATH
from storage.facade import BlobApp, LocalStore, store, url_signer
from tenants.facade import check_database
from webhooks.facade import PUBLIC_KEYS_PATH, serve_keys


def make_front(django: App) -> App:
    """Public routes by path; everything else needs a key."""
    configure(service="web")
    check_database()
    export_traces(service="web", endpoint=settings.OTLP_ENDPOINT, share=settings.TRACE_PERCENT / 100)
    serve_metrics(port=settings.METRICS_PORT, address=settings.METRICS_BIND)
    public: dict[str, App] = {"/livez": health.livez, "/readyz": health.readyz, "/openapi.json": _openapi}
    public[PUBLIC_KEYS_PATH] = serve_keys
    public[CALLBACKS_PATH] = take_callback
    if settings.AUTOSCALE_TOKEN:
        public[AUTOSCALE_PATH] = Autoscale(token=settings.AUTOSCALE_TOKEN, base_url=settings.PUBLIC_URL)
    public[WEBHOOK_PATH] = serve_webhook
    public[PREFIX] = FinanceApp(base_url=settings.PUBLIC_URL)
    pages = Pages(_document, base_url=settings.PUBLIC_URL)
    public |= dict.fromkeys(("/docs", "/docs/", "/problems", "/problems/"), pages)
    objects = store()
    if isinstance(objects, LocalStore):
        public["/v1/blobs/"] = BlobApp(
            objects, signer=url_signer(), origins_of=origins_of, problem_base_url=settings.PUBLIC_URL
        )
    front = Front(django=django, guard=ApiGuard(), base_url=settings.PUBLIC_URL, public=public)
    return Quarantine(front, base_url=settings.PUBLIC_URL)


async def _openapi(scope: Scope, receive: Receive, send: Send) -> None:
    await send_json(send, status=200, body=_document())


@lru_cache(maxsize=1)
def _document() -> dict[str, object]:
    return openapi()

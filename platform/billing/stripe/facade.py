"""What the rest of Parlance sees of Stripe; the SDK is loaded only where a function really calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing.stripe.api import router
from billing.stripe.collector import collect_once, run_collector
from billing.stripe.intake import PATH as WEBHOOK_PATH
from billing.stripe.intake import serve_webhook
from billing.stripe.settings import StripeSettings

if TYPE_CHECKING:
    from billing.stripe.money_back import request_credit_note, request_refund, request_void, top_up_rows
    from billing.stripe.outbox import retry_failed
    from billing.stripe.pushing import push_statement

_LATE = {
    "push_statement": "pushing", "retry_failed": "outbox", "request_credit_note": "money_back",
    "request_refund": "money_back", "request_void": "money_back", "top_up_rows": "money_back",
}  # fmt: skip

__all__ = [
    "WEBHOOK_PATH",
    "StripeSettings",
    "collect_once",
    "push_statement",
    "request_credit_note",
    "request_refund",
    "request_void",
    "retry_failed",
    "router",
    "run_collector",
    "serve_webhook",
    "top_up_rows",
]


def __getattr__(name: str) -> Any:
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(f"billing.stripe.{_LATE[name]}"), name)
    raise AttributeError(name)

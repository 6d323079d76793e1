"""What the rest of Parlance sees of Stripe; the SDK is loaded only where a function really calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing.stripe.api import router
from billing.stripe.collector import collect_once, run_collector
from billing.stripe.intake import PATH as WEBHOOK_PATH
from billing.stripe.intake import serve_webhook
from billing.stripe.settings import StripeSettings

if TYPE_CHECKING:
    from billing.stripe.outbox import retry_failed
    from billing.stripe.pushing import credit_invoice, push_statement, void_invoice
    from billing.stripe.topups import refund_top_up

_LATE = {
    "credit_invoice": "pushing", "push_statement": "pushing", "void_invoice": "pushing", "retry_failed": "outbox",
    "refund_top_up": "topups",
}  # fmt: skip

__all__ = [
    "WEBHOOK_PATH",
    "StripeSettings",
    "collect_once",
    "credit_invoice",
    "push_statement",
    "refund_top_up",
    "retry_failed",
    "router",
    "run_collector",
    "serve_webhook",
    "void_invoice",
]


def __getattr__(name: str) -> Any:
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(f"billing.stripe.{_LATE[name]}"), name)
    raise AttributeError(name)

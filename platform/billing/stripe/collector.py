"""The collector: a thread of the scheduler that tells Stripe what is due and looks at what happened there."""

from __future__ import annotations

import threading

from django.db import close_old_connections

from billing.stripe.settings import stripe_settings
from observe.facade import get_logger

PAUSE_S = 2

log = get_logger(__name__)


def run_collector(stop: threading.Event) -> None:
    """Until `stop`; returns at once where Stripe is off, and then the SDK is never loaded."""
    if stripe_settings() is None:
        return
    while not stop.is_set():
        try:
            close_old_connections()
            collect_once()
        except Exception as error:  # the database may be away for a moment
            log.exception("collector_failed", error=type(error).__name__)
        stop.wait(PAUSE_S)


def collect_once(*, repair_now: bool = False) -> int:
    """One round: calls, events, and the nightly repair when it is due; how much was done."""
    from billing.stripe import happened, outbox, pushing, topups

    doers: outbox.Doers = {
        outbox.PUSH: pushing.do_push, outbox.PAY: pushing.do_pay, outbox.VOID: pushing.do_void,
        outbox.CREDIT_NOTE: pushing.do_credit_note, outbox.REFUND: topups.do_refund,
    }  # fmt: skip
    done = outbox.run_calls(doers) + happened.handle_events()
    return done + (happened.repair(now=repair_now) or 0)

"""What events make us look at. An event only says that something changed: the object is fetched as it is now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe
from django.db import connections, transaction

from billing.errors import BillingError
from billing.stripe.gateway import Gateway, gateway
from billing.stripe.mirror import keep_dispute, refresh_invoice
from billing.stripe.models import StripeInvoice, StripeRepair
from billing.stripe.outbox import SYSTEM
from billing.stripe.topups import settle_session
from observe.facade import get_logger

TYPES = (
    "checkout.session.completed", "checkout.session.async_payment_succeeded", "invoice.finalized", "invoice.updated",
    "invoice.paid", "invoice.payment_failed", "invoice.voided", "invoice.marked_uncollectible",
    "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed", "credit_note.created",
    "credit_note.updated", "credit_note.voided",
)  # fmt: skip
LEASE_S = 120
MAX_ATTEMPTS = 10
# Stripe may list an event some time after it happened, and clocks differ; what is seen twice changes nothing.
OVERLAP = timedelta(hours=2)
KEPT = timedelta(days=29)  # of the 30 days that Stripe keeps events

log = get_logger(__name__)

_CLAIM = """UPDATE public.stripe_event SET attempts = attempts + 1, not_before = now() + %s * interval '1 second'
 WHERE event_id = (SELECT event_id FROM public.stripe_event WHERE handled_at IS NULL AND not_before <= now()
   AND attempts < %s ORDER BY not_before LIMIT 1 FOR UPDATE SKIP LOCKED)
 RETURNING event_id, type, object_id, attempts"""
_HANDLED = "UPDATE public.stripe_event SET handled_at = now(), error = '' WHERE event_id = %s"
_FAILED = """UPDATE public.stripe_event SET error = %s, not_before = now() + %s * interval '1 second'
 WHERE event_id = %s"""
_DUE = """INSERT INTO public.stripe_repair AS r (id, due_at, done_until) VALUES (1, now() + interval '1 day', now())
 ON CONFLICT (id) DO UPDATE SET due_at = now() + interval '1 day' WHERE r.due_at <= now() OR %s
 RETURNING done_until, now()"""


def handle_events(*, limit: int = 200) -> int:
    """Look at what the noted events are about; how many were worked at. Any number of processes may."""
    for done in range(limit):
        with connections[SYSTEM].cursor() as cursor:
            cursor.execute(_CLAIM, [LEASE_S, MAX_ATTEMPTS])
            row = cursor.fetchone()
        if row is None:
            return done
        _handle(*row)
    return limit


def repair(*, now: bool = False) -> int | None:
    """Once a day (or `now`): everything that Stripe changed since the last time; how many objects. None: not due.

    It makes good for events that were lost, and for those that came while we were not there.
    """
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_DUE, [now])
        row = cursor.fetchone()
    if row is None:
        return None
    since, until = row
    seen = _look_again(max(since - OVERLAP, until - KEPT))
    StripeRepair.objects.using(SYSTEM).filter(pk=1).update(done_until=until)
    return seen


def _look_again(since: datetime) -> int:
    at, seen = gateway(), set()
    for event in at.events_since(int(since.timestamp()), types=TYPES):
        seen.add((event.type.rpartition(".")[0], str(_object_id(event))))
    known = StripeInvoice.objects.using(SYSTEM).filter(status="open", seen_at__lt=datetime.now(UTC) - OVERLAP)
    seen |= {("invoice", invoice_id) for invoice_id in known.values_list("invoice_id", flat=True)}
    for kind, object_id in sorted(seen):
        _LOOKS[kind](at, object_id)
    return len(seen)


def _handle(event_id: str, kind: str, object_id: str, attempt: int) -> None:
    look = _LOOKS.get(kind.rpartition(".")[0])
    try:
        with transaction.atomic(using=SYSTEM), connections[SYSTEM].cursor() as cursor:
            if look is not None and kind in TYPES:
                look(gateway(), object_id)
            cursor.execute(_HANDLED, [event_id])
    except (stripe.StripeError, BillingError) as error:
        _again(event_id, attempt, type(error).__name__)
    except Exception as error:  # one event's trouble must not hold up the others
        log.exception("stripe_event_failed", event=event_id, kind=kind, error=type(error).__name__)
        _again(event_id, attempt, type(error).__name__)


def _again(event_id: str, attempt: int, error: str) -> None:
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_FAILED, [error, min(2**attempt, 3600), event_id])


def _object_id(event: Any) -> Any:
    return event.data.object["id"]


def _look_at_invoice(at: Gateway, invoice_id: str) -> None:
    refresh_invoice(at.invoice(invoice_id))


def _look_at_session(at: Gateway, session_id: str) -> None:
    settle_session(at.checkout_session(session_id))


def _look_at_dispute(at: Gateway, dispute_id: str) -> None:
    keep_dispute(at.dispute(dispute_id), at=at)


def _look_at_credit_note(at: Gateway, note_id: str) -> None:
    refresh_invoice(at.invoice(at.credit_note(note_id).invoice))


_LOOKS: dict[str, Callable[[Gateway, str], None]] = {
    "checkout.session": _look_at_session,
    "invoice": _look_at_invoice,
    "charge.dispute": _look_at_dispute,
    "credit_note": _look_at_credit_note,
}

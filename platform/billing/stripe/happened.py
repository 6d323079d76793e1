"""What events make us look at. An event only says that something changed: the object is fetched as it is now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe
from django.db import connections, transaction

from billing.errors import BillingError
from billing.stripe.gateway import Gateway, gateway
from billing.stripe.mirror import refresh_invoice
from billing.stripe.models import StripeEvent, StripeInvoice, StripeRepair
from billing.stripe.outbox import SYSTEM
from billing.stripe.taken_back import keep_dispute, keep_refund, lock
from billing.stripe.topups import settle_session
from observe.facade import get_logger

TYPES = (
    "checkout.session.completed", "checkout.session.async_payment_succeeded", "invoice.finalized", "invoice.updated",
    "invoice.paid", "invoice.payment_failed", "invoice.voided", "invoice.marked_uncollectible",
    "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed", "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated", "charge.refunded", "refund.created", "refund.updated", "refund.failed",
    "credit_note.created", "credit_note.updated", "credit_note.voided",
)  # fmt: skip  # at most 20 can be listed at once
LEASE_S = 120
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
            cursor.execute(_CLAIM, [LEASE_S, StripeEvent.MAX_ATTEMPTS])
            row = cursor.fetchone()
        if row is None:
            return done
        _handle(*row)
    return limit


def repair(*, now: bool = False) -> int | None:
    """Once a day (or `now`): everything that Stripe changed since the last time; how many objects. None: not due.

    It makes good for events that were lost, and for those that came while we were not there. An object that cannot be
    looked at does not stop the others; the next time begins where this one did.
    """
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_DUE, [now])
        row = cursor.fetchone()
    if row is None:
        return None
    since, until = row
    seen = _changed(max(since - OVERLAP, until - KEPT))
    failures = sum(not _looked(kind, object_id) for kind, object_id in sorted(seen))
    if not failures:
        StripeRepair.objects.using(SYSTEM).filter(pk=1).update(done_until=until)
    return len(seen)


def _changed(since: datetime) -> set[tuple[str, str]]:
    seen = {
        (event.type.rpartition(".")[0], str(_object_id(event)))
        for event in gateway().events_since(int(since.timestamp()), types=TYPES)
    }
    known = StripeInvoice.objects.using(SYSTEM).filter(status="open", seen_at__lt=datetime.now(UTC) - OVERLAP)
    return seen | {("invoice", invoice_id) for invoice_id in known.values_list("invoice_id", flat=True)}


def _looked(kind: str, object_id: str) -> bool:
    try:
        with transaction.atomic(using=SYSTEM):
            _look(kind, object_id)
    except Exception as error:  # it shows as a difference, or is told again tomorrow
        log.exception("stripe_repair_failed", kind=kind, object=object_id, error=type(error).__name__)
        return False
    return True


def _look(kind: str, object_id: str) -> None:
    """In the caller's transaction; one at a time for each object, so that an older look never ends the later."""
    lock(object_id)
    _LOOKS[kind](gateway(), object_id)


def _handle(event_id: str, kind: str, object_id: str, attempt: int) -> None:
    try:
        with transaction.atomic(using=SYSTEM), connections[SYSTEM].cursor() as cursor:
            if kind in TYPES:
                _look(kind.rpartition(".")[0], object_id)
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


def _look_at_refund(at: Gateway, refund_id: str) -> None:
    keep_refund(at.refund(refund_id), at=at)


def _look_at_charge(at: Gateway, charge_id: str) -> None:
    for refund in at.refunds_of(charge_id):
        keep_refund(refund, at=at)


def _look_at_credit_note(at: Gateway, note_id: str) -> None:
    refresh_invoice(at.invoice(at.credit_note(note_id).invoice))


_LOOKS: dict[str, Callable[[Gateway, str], None]] = {
    "checkout.session": _look_at_session,
    "invoice": _look_at_invoice,
    "charge.dispute": _look_at_dispute,
    "charge": _look_at_charge,
    "refund": _look_at_refund,
    "credit_note": _look_at_credit_note,
}

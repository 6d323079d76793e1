"""What is to be done at Stripe, row by row: told to it at least once, and done there once.

A row is leased by its `not_before`, so a killed process only delays it. Before each write the worker reads back what
Stripe has already, and writes under a key made of row, step and epoch: while no answer came the key stays, so that a
call that worked unheard is replayed; after an answer (which Stripe keeps under its key for a day, errors too) the
epoch moves on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import stripe
from django.db import connections, transaction
from django.db.models.functions import Now

from billing.errors import BillingError
from billing.stripe.models import StripeCall
from observe.facade import get_logger

SYSTEM = "system"
PUSH, PAY, VOID, CREDIT_NOTE, REFUND = "push", "pay", "void", "credit_note", "refund"
LEASE_S = 180  # a push of 250 lines is a dozen calls; the adapter's own limit for each is 40 s, and most take one
MAX_ATTEMPTS = 12
MAX_WAIT_S = 3600

log = get_logger(__name__)

_ADD = """INSERT INTO public.stripe_call (kind, subject_id, tenant_id, values, state, epoch, attempts, result, error,
   created_by) VALUES (%s, %s, %s, %s::jsonb, 'pending', 0, 0, '', '', %s) ON CONFLICT DO NOTHING"""
_CLAIM = """UPDATE public.stripe_call SET attempts = attempts + 1, not_before = now() + %s * interval '1 second'
 WHERE id = (SELECT id FROM public.stripe_call WHERE state = 'pending' AND not_before <= now()
   ORDER BY not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED)
 RETURNING id, kind, subject_id, tenant_id, values, epoch, attempts"""
# Fenced by the attempt: who lost its lease changes nothing any more.
_DONE = """UPDATE public.stripe_call SET state = 'done', result = %s, error = %s
 WHERE id = %s AND attempts = %s AND state = 'pending'"""
_AGAIN = """UPDATE public.stripe_call SET state = %s, error = %s, epoch = epoch + %s,
   not_before = now() + %s * interval '1 second' WHERE id = %s AND attempts = %s AND state = 'pending'"""


@dataclass(frozen=True, slots=True)
class Call:
    """A claimed row."""

    id: int
    kind: str
    subject_id: UUID
    tenant_id: UUID
    values: Mapping[str, Any]
    epoch: int
    attempt: int

    def key(self, step: str) -> str:
        """The Idempotency-Key of one write; below Stripe's 255 characters."""
        return f"parlance-{self.kind}-{self.subject_id}-{step}-{self.epoch}"


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a call; `store` writes it down in the transaction that ends the row."""

    result: str
    store: Callable[[], object] = lambda: None
    note: str = ""


Doers = Mapping[str, Callable[[Call], Done]]


def add_call(
    kind: str, *, subject_id: UUID, tenant_id: UUID, actor: str, values: Mapping[str, Any] | None = None
) -> bool:
    """Have it done, in the caller's transaction on `system`; False when it was asked for before."""
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_ADD, [kind, subject_id, tenant_id, json.dumps(dict(values or {})), actor])
        return bool(cursor.rowcount)


def retry_failed(call_id: int) -> bool:
    """A person has mended what stood in the way."""
    failed = StripeCall.objects.using(SYSTEM).filter(pk=call_id, state=StripeCall.State.FAILED)
    return bool(failed.update(state=StripeCall.State.PENDING, attempts=0, not_before=Now()))


def run_calls(doers: Doers, *, limit: int = 100) -> int:
    """Do what is due, oldest first; how many rows were worked at."""
    for done in range(limit):
        call = _claim()
        if call is None:
            return done
        _work(call, doers)
    return limit


def _claim() -> Call | None:
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_CLAIM, [LEASE_S])
        row = cursor.fetchone()
    if row is None:
        return None
    values = json.loads(row[4]) if isinstance(row[4], str) else row[4]  # as the driver was told to read jsonb
    call_id, kind, subject_id, tenant_id, _, epoch, attempt = row
    return Call(call_id, kind, subject_id, tenant_id, values, epoch, attempt)


def _work(call: Call, doers: Doers) -> None:
    try:
        done = doers[call.kind](call)
        with transaction.atomic(using=SYSTEM), connections[SYSTEM].cursor() as cursor:
            done.store()
            cursor.execute(_DONE, [done.result, done.note, call.id, call.attempt])
    except (stripe.InvalidRequestError, stripe.AuthenticationError, stripe.PermissionError, BillingError) as error:
        _give_up(call, error)
    except stripe.APIConnectionError as error:
        _later(call, error, new_epoch=False)
    except stripe.StripeError as error:
        _later(call, error, new_epoch=True)
    except Exception as error:  # one row's trouble must not hold up the others
        log.exception("stripe_call_failed", call=call.id, kind=call.kind, error=type(error).__name__)
        _later(call, error, new_epoch=False)


def _later(call: Call, error: Exception, *, new_epoch: bool) -> None:
    if call.attempt >= MAX_ATTEMPTS:
        _give_up(call, error)
        return
    wait_s = min(2 ** (call.attempt - 1), MAX_WAIT_S)
    _write(_AGAIN, ["pending", _shown(error), int(new_epoch), wait_s, call.id, call.attempt])


def _give_up(call: Call, error: Exception) -> None:
    """It waits for a person, who sees it among the receivables; a new epoch, because this answer is kept."""
    log.error("stripe_call_gave_up", call=call.id, kind=call.kind, error=_shown(error))
    _write(_AGAIN, ["failed", _shown(error), 1, 0, call.id, call.attempt])


def _write(sql: str, values: list[Any]) -> None:
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(sql, values)


def _shown(error: Exception) -> str:
    """Our own text, or Stripe's code and message, which are about the request and hold no card's number."""
    if isinstance(error, stripe.StripeError):
        return f"{error.code or error.http_status or 'no answer'}: {error.user_message or error}"[:300]
    return (str(error) if isinstance(error, BillingError) else type(error).__name__)[:300]

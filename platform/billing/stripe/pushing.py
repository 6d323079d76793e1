"""A statement becomes an invoice: found or made, filled line by line, compared, finalised, and only then paid."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import stripe
from django.db import transaction

from billing.rating import difference
from billing.statements.contracts import Statement
from billing.statements.reading import statement_of
from billing.statements.workflow import mark_pushed
from billing.stripe import amounts
from billing.stripe.customers import customer_of
from billing.stripe.errors import Disagreement
from billing.stripe.gateway import LINES_AT_ONCE, Gateway, InvoiceLine, gateway
from billing.stripe.mirror import keep_invoice, refresh_invoice
from billing.stripe.models import StripeInvoice
from billing.stripe.outbox import PAY, PUSH, SYSTEM, Call, Done, add_call

STRIPE = "stripe"  # a contract's `collection`
DAYS_UNTIL_DUE = 30
NOTHING = Decimal(0)


def push_statement(statement_id: UUID, *, actor: str) -> Statement:
    """Have an approved statement collected as its contract says; with nothing to collect it is pushed at once.

    Raises `WrongStatus`.
    """
    statement = statement_of(statement_id)
    if statement.terms.collection != STRIPE or statement.totals.due == NOTHING:
        return mark_pushed(statement_id, actor=actor)
    if statement.status == "approved":
        tenant_id = statement.terms.tenant_id
        add_call(PUSH, subject_id=statement_id, tenant_id=tenant_id, actor=actor)
        return statement
    return mark_pushed(statement_id, actor=actor) if statement.status not in ("pushed", "closed") else statement


def do_push(call: Call) -> Done:
    """The outbox's part of it."""
    at, statement = gateway(), statement_of(call.subject_id)
    wanted = invoice_lines(statement)
    due_minor = sum(line.amount_minor for line in wanted)
    if due_minor < 0:
        raise Disagreement("The statement is below zero. Add a debit, or settle it with a credit note.")
    customer = customer_of(call.tenant_id, at=at)
    invoice = at.find_invoice(customer.customer_id, statement_id=statement.id) or at.create_invoice(
        customer.customer_id, statement_id=statement.id, period=f"{statement.terms.period:%Y-%m}",
        currency=statement.terms.currency, automatic=bool(customer.payment_method), days_until_due=DAYS_UNTIL_DUE,
        key=call.key("invoice"),
    )  # fmt: skip
    if invoice.status == "draft":
        _fill(invoice.id, wanted, at=at, call=call)
        invoice = _compared(at.invoice(invoice.id), due_minor)
        invoice = at.finalize(invoice.id, key=call.key("finalize"))
    return Done(invoice.id, partial(_pushed, statement, invoice, due_minor, bool(customer.payment_method)))


def do_pay(call: Call) -> Done:
    """Charge the customer's card now. A refusal by the bank is an outcome: Stripe goes on by its own schedule."""
    at, row = gateway(), invoice_of(call.subject_id)
    invoice = at.invoice(row.invoice_id)
    note = ""
    if invoice.status == "open":
        try:
            invoice = at.pay(row.invoice_id, key=call.key("pay"))
        except stripe.CardError as error:
            note, invoice = f"{error.code}: {error.user_message}"[:300], at.invoice(row.invoice_id)
    return Done(row.invoice_id, partial(refresh_invoice, invoice), note)


def do_void(call: Call) -> Done:
    """Nobody has to pay the invoice any more."""
    at, row = gateway(), invoice_of(call.subject_id)
    invoice = at.invoice(row.invoice_id)
    if invoice.status in ("open", "uncollectible"):
        invoice = at.void(row.invoice_id, key=call.key("void"))
    return Done(row.invoice_id, partial(refresh_invoice, invoice))


def do_credit_note(call: Call) -> Done:
    """Less to pay, or money back of what was paid."""
    at, row = gateway(), invoice_of(UUID(call.values["statement_id"]))
    invoice = at.invoice(row.invoice_id)
    note = at.find_credit_note(row.invoice_id, subject_id=call.subject_id) or at.create_credit_note(
        row.invoice_id, subject_id=call.subject_id, amount_minor=int(call.values["amount_minor"]),
        paid=invoice.status == "paid", memo=call.values["memo"], key=call.key("note"),
    )  # fmt: skip
    return Done(note.id, partial(refresh_invoice, at.invoice(row.invoice_id)))


def invoice_lines(statement: Statement) -> list[InvoiceLine]:
    """The statement's lines that move money, as Stripe writes amounts; their sum is what is due.

    What a wallet paid stands as a line of its own.
    """
    told = [(str(place), line.description, line.amount) for place, line in enumerate(statement.lines)]
    paid = statement.totals.from_wallet
    told += [("wallet", "Paid from the prepaid wallet", difference(NOTHING, paid))] if paid else []
    minors = amounts.spread((amount for _, _, amount in told), statement.terms.currency)
    lines = [InvoiceLine(place, text, minor) for (place, text, _), minor in zip(told, minors, strict=True)]
    return [line for line in lines if line.amount_minor]


def _fill(invoice_id: str, wanted: Iterable[InvoiceLine], *, at: Gateway, call: Call) -> None:
    there = at.places_of(invoice_id)
    missing = [line for line in wanted if line.place not in there]
    for start in range(0, len(missing), LINES_AT_ONCE):
        part = missing[start : start + LINES_AT_ONCE]
        at.add_lines(invoice_id, part, key=call.key(f"lines-{part[0].place}"))


def _compared(invoice: Any, due_minor: int) -> Any:
    if invoice.total != due_minor:
        raise Disagreement(f"The draft {invoice.id} asks for {invoice.total}, the statement for {due_minor}.")
    return invoice


def _pushed(statement: Statement, invoice: Any, due_minor: int, automatic: bool) -> None:
    tenant_id = statement.terms.tenant_id
    with transaction.atomic(using=SYSTEM):
        keep_invoice(invoice, statement_id=statement.id, tenant_id=tenant_id, due_minor=due_minor)
        if statement.status == "approved":
            mark_pushed(statement.id, actor="stripe")
        if automatic and invoice.status == "open":
            add_call(PAY, subject_id=statement.id, tenant_id=tenant_id, actor="stripe")


def invoice_of(statement_id: UUID) -> StripeInvoice:
    """A pushed statement's invoice as Stripe last showed it. Raises LookupError."""
    row = StripeInvoice.objects.using(SYSTEM).filter(pk=statement_id).first()
    if row is None:
        raise LookupError("this statement has no invoice at Stripe; push it first")
    return row

"""Invoices: draft → open → paid, void or uncollectible; their lines and payments."""

from __future__ import annotations

from typing import Any

from tests.fakes.stripe_loopback.account import JSON, Account, Declined, check_amount, check_currency, listed
from tests.fakes.stripe_loopback.money_back import charged
from tests.fakes.stripe_loopback.validation import Invalid

MAX_LINES = 250


def list_invoices(account: Account, params: JSON) -> JSON:
    found = account.every("invoice")
    for name in ("customer", "status"):
        found = [one for one in found if name not in params or one[name] == params[name]]
    return listed([_shown(account, one) for one in found], params, url="/v1/invoices")


def create_invoice(account: Account, params: JSON) -> JSON:
    customer = account.get("customer", params.get("customer", ""))
    method = params.get("collection_method", "charge_automatically")
    if ("days_until_due" in params) != (method == "send_invoice"):
        raise Invalid("days_until_due is for send_invoice.", code="parameter_invalid", param="days_until_due")
    currency = params.get("currency", "usd")
    check_currency(currency)
    made = account.make(
        "invoice", customer=customer["id"], collection_method=method, currency=currency, status="draft", total=0,
        subtotal=0, amount_due=0, amount_paid=0, amount_remaining=0, attempt_count=0, attempted=False, number=None,
        auto_advance=params.get("auto_advance", False), metadata=params.get("metadata", {}), hosted_invoice_url=None,
        description=params.get("description"), next_payment_attempt=None, pre_payment_credit_notes_amount=0,
        post_payment_credit_notes_amount=0, lines={"object": "list", "data": [], "has_more": False, "url": ""},
    )  # fmt: skip
    account.tell("invoice.created", made)
    return made


def retrieve_invoice(account: Account, params: JSON, *, invoice: str) -> JSON:
    return _shown(account, account.get("invoice", invoice))


def list_lines(account: Account, params: JSON, *, invoice: str) -> JSON:
    return listed(lines_of(account, invoice), params, url=f"/v1/invoices/{invoice}/lines")


def add_lines(account: Account, params: JSON, *, invoice: str) -> JSON:
    found = _in_state(account, invoice, "draft")
    if len(lines_of(account, invoice)) + len(params["lines"]) > MAX_LINES:
        raise Invalid("Too many lines.", code="invoice_too_many_lines", param="lines")
    for line in params["lines"]:
        if "amount" not in line:
            raise Invalid("Missing required param: lines[amount].", code="parameter_missing", param="lines")
        account.make("line_item", invoice=invoice, amount=line["amount"], currency=found["currency"],
                     description=line.get("description"), metadata=line.get("metadata") or {})  # fmt: skip
    total = sum(line["amount"] for line in lines_of(account, invoice))
    found |= {"total": total, "subtotal": total, "amount_due": max(total, 0), "amount_remaining": max(total, 0)}
    account.tell("invoice.updated", found)
    return _shown(account, found)


def finalize(account: Account, params: JSON, *, invoice: str) -> JSON:
    found = _in_state(account, invoice, "draft")
    if not lines_of(account, invoice):
        raise Invalid("Nothing to invoice.", code="invoice_no_customer_line_items")
    check_amount(found["amount_due"], found["currency"])
    found |= {
        "status": "open", "number": account.new_id("PARL"), "auto_advance": params.get("auto_advance", False),
        "hosted_invoice_url": f"https://invoice.stripe.com/i/{invoice}",
    }  # fmt: skip
    account.tell("invoice.finalized", found)
    if found["amount_due"] == 0:
        found["status"] = "paid"
        account.tell("invoice.paid", found)
    return _shown(account, found)


def pay(account: Account, params: JSON, *, invoice: str) -> JSON:
    found = _in_state(account, invoice, "open")
    customer = account.get("customer", found["customer"])
    if not customer["invoice_settings"]["default_payment_method"]:
        raise Invalid(
            "There is no default_payment_method set on this Customer.", code="invoice_no_payment_method_types"
        )
    found |= {"attempt_count": found["attempt_count"] + 1, "attempted": True}
    if account.declines:
        account.declines -= 1
        found["next_payment_attempt"] = account.now() + 3 * 86_400
        account.tell("invoice.payment_failed", found)
        raise Declined
    return _shown(account, paid(account, found))


def void(account: Account, params: JSON, *, invoice: str) -> JSON:
    found = account.get("invoice", invoice)
    if found["status"] not in ("open", "uncollectible"):
        raise _wrong_state(found)
    found |= {"status": "void", "next_payment_attempt": None}
    account.tell("invoice.voided", found)
    return _shown(account, found)


def list_payments(account: Account, params: JSON) -> JSON:
    wanted = params.get("payment", {}).get("payment_intent")
    found = [
        one
        for one in account.every("invoice_payment")
        if params.get("invoice", one["invoice"]) == one["invoice"]
        and wanted in (None, one["payment"]["payment_intent"])
    ]
    return listed(found, params, url="/v1/invoice_payments")


def paid(account: Account, invoice: JSON) -> JSON:
    """The money has come in."""
    remaining = invoice["amount_remaining"]
    charge = charged(account, amount=remaining, currency=invoice["currency"])
    account.make(
        "invoice_payment", invoice=invoice["id"], amount_paid=remaining, amount_requested=remaining, status="paid",
        currency=invoice["currency"], payment={"type": "payment_intent", "payment_intent": charge["payment_intent"]},
    )  # fmt: skip
    invoice |= {
        "status": "paid", "amount_paid": invoice["amount_paid"] + remaining, "amount_remaining": 0,
        "next_payment_attempt": None,
    }  # fmt: skip
    account.tell("invoice.paid", invoice)
    return invoice


def lines_of(account: Account, invoice: str) -> list[JSON]:
    return [one for one in reversed(account.every("line_item")) if one["invoice"] == invoice]


def _shown(account: Account, invoice: JSON) -> JSON:
    lines: dict[str, Any] = listed(lines_of(account, invoice["id"]), {}, url=f"/v1/invoices/{invoice['id']}/lines")
    return invoice | {"lines": lines}


def _in_state(account: Account, invoice: str, status: str) -> JSON:
    found = account.get("invoice", invoice)
    if found["status"] != status:
        raise _wrong_state(found)
    return found


def _wrong_state(invoice: JSON) -> Invalid:
    return Invalid(f"This invoice is {invoice['status']}.", code="invoice_not_editable")

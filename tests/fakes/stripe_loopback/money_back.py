"""Credit notes, refunds, disputes, and the list of events."""

from __future__ import annotations

from tests.fakes.stripe_loopback.account import JSON, Account, check_amount, listed
from tests.fakes.stripe_loopback.validation import Invalid


def list_credit_notes(account: Account, params: JSON) -> JSON:
    found = [one for one in account.every("credit_note") if params.get("invoice") in (None, one["invoice"])]
    return listed(found, params, url="/v1/credit_notes")


def retrieve_credit_note(account: Account, params: JSON, *, id: str) -> JSON:  # noqa: A002  # the path's own name
    return account.get("credit_note", id)


def create_credit_note(account: Account, params: JSON) -> JSON:
    invoice, amount = account.get("invoice", params["invoice"]), params.get("amount", 0)
    check_amount(amount, invoice["currency"])
    if invoice["status"] == "open":
        _lower(invoice, amount)
    elif invoice["status"] == "paid":
        _give_back(account, invoice, amount, params)
    else:
        raise Invalid(f"The invoice is {invoice['status']}.", code="invoice_not_open", param="invoice")
    made = account.make("credit_note", invoice=invoice["id"], amount=amount, total=amount, status="issued",
                        currency=invoice["currency"], customer=invoice["customer"], memo=params.get("memo"),
                        metadata=params.get("metadata", {}))  # fmt: skip
    account.tell("credit_note.created", made)
    account.tell("invoice.updated", invoice)
    return made


def _lower(invoice: JSON, amount: int) -> None:
    if not 0 < amount <= invoice["amount_remaining"]:
        raise Invalid("The amount is more than remains.", code="credit_note_amount_too_large", param="amount")
    invoice["pre_payment_credit_notes_amount"] += amount
    invoice["amount_remaining"] -= amount
    invoice["amount_due"] -= amount
    if invoice["amount_remaining"] == 0:
        invoice["status"] = "paid"


def _give_back(account: Account, invoice: JSON, amount: int, params: JSON) -> None:
    given = sum(params.get(name, 0) for name in ("refund_amount", "credit_amount", "out_of_band_amount"))
    if given != amount:
        raise Invalid("The sum of the parts must be the amount.", code="credit_note_parts", param="refund_amount")
    if amount + invoice["post_payment_credit_notes_amount"] > invoice["amount_paid"]:
        raise Invalid("The amount is more than was paid.", code="credit_note_amount_too_large", param="amount")
    invoice["post_payment_credit_notes_amount"] += amount


def list_refunds(account: Account, params: JSON) -> JSON:
    wanted = params.get("payment_intent")
    found = [one for one in account.every("refund") if wanted in (None, one["payment_intent"])]
    return listed(found, params, url="/v1/refunds")


def create_refund(account: Account, params: JSON) -> JSON:
    intent = params.get("payment_intent", "")
    sessions = [one for one in account.every("checkout.session") if one["payment_intent"] == intent]
    if not sessions:
        raise Invalid(f"No such payment_intent: '{intent}'", code="resource_missing", param="payment_intent")
    before = sum(one["amount"] for one in account.every("refund") if one["payment_intent"] == intent)
    amount = params.get("amount", sessions[0]["amount_total"] - before)
    if before + amount > sessions[0]["amount_total"]:
        raise Invalid("Refund amount is greater than the charge.", code="charge_already_refunded", param="amount")
    made = account.make("refund", payment_intent=intent, amount=amount, currency=sessions[0]["currency"],
                        status="succeeded", metadata=params.get("metadata") or {})  # fmt: skip
    account.tell("refund.created", made)
    return made


def retrieve_dispute(account: Account, params: JSON, *, dispute: str) -> JSON:
    return account.get("dispute", dispute)


def open_dispute(account: Account, invoice_id: str) -> JSON:
    """The customer's bank takes the payment of an invoice back; the event that says so."""
    payment = next(one for one in account.every("invoice_payment") if one["invoice"] == invoice_id)
    made = account.make("dispute", payment_intent=payment["payment"]["payment_intent"], amount=payment["amount_paid"],
                        currency=payment["currency"], status="needs_response",
                        reason="product_not_received")  # fmt: skip
    return account.tell("charge.dispute.created", made)


def close_dispute(account: Account, dispute_id: str, *, won: bool) -> JSON:
    """The bank has decided."""
    dispute = account.get("dispute", dispute_id)
    dispute["status"] = "won" if won else "lost"
    return account.tell("charge.dispute.closed", dispute)


def list_events(account: Account, params: JSON) -> JSON:
    types = params.get("types")
    if types and len(types) > 20:
        raise Invalid("At most 20 types.", code="parameter_invalid", param="types")
    found = [one for one in reversed(account.events) if not types or one["type"] in types]
    return listed(found, params, url="/v1/events")

"""Charges and what goes back of them: credit notes, refunds, disputes. And the list of events."""

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
    if back := params.get("refund_amount", 0):
        refunded(account, payment_of(account, invoice["id"]), amount=back, metadata={})


def charged(account: Account, *, amount: int, currency: str) -> JSON:
    """The bank has paid: a charge of a payment intent of its own."""
    return account.make("charge", payment_intent=account.new_id("pi"), amount=amount, amount_captured=amount,
                        amount_refunded=0, currency=currency, status="succeeded", paid=True, captured=True,
                        refunded=False, disputed=False)  # fmt: skip


def list_refunds(account: Account, params: JSON) -> JSON:
    found = account.every("refund")
    for name in ("payment_intent", "charge"):
        found = [one for one in found if name not in params or one[name] == params[name]]
    return listed(found, params, url="/v1/refunds")


def retrieve_refund(account: Account, params: JSON, *, refund: str) -> JSON:
    return account.get("refund", refund)


def create_refund(account: Account, params: JSON) -> JSON:
    charge = _charge_of(account, params.get("payment_intent", ""))
    amount = params.get("amount", charge["amount"] - charge["amount_refunded"])
    return refunded(account, charge["payment_intent"], amount=amount, metadata=params.get("metadata") or {})


def refunded(account: Account, intent: str, *, amount: int, metadata: JSON) -> JSON:
    """Sent back, by a request or in the dashboard."""
    charge = _charge_of(account, intent)
    if charge["amount_refunded"] + amount > charge["amount"]:
        raise Invalid("Refund amount is greater than the charge.", code="charge_already_refunded", param="amount")
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    made = account.make("refund", payment_intent=intent, charge=charge["id"], amount=amount, status="succeeded",
                        currency=charge["currency"], metadata=metadata)  # fmt: skip
    account.tell("refund.created", made)
    account.tell("charge.refunded", charge)
    return made


def fail_refund(account: Account, refund_id: str) -> JSON:
    """The bank could not take it; the event that says so."""
    refund = account.get("refund", refund_id)
    refund["status"] = "failed"
    _charge_of(account, refund["payment_intent"])["amount_refunded"] -= refund["amount"]
    return account.tell("refund.failed", refund)


def _charge_of(account: Account, intent: str) -> JSON:
    found = next((one for one in account.every("charge") if one["payment_intent"] == intent), None)
    if found is None:
        raise Invalid(f"No such payment_intent: '{intent}'", code="resource_missing", param="payment_intent")
    return found


def retrieve_dispute(account: Account, params: JSON, *, dispute: str) -> JSON:
    return account.get("dispute", dispute)


def open_dispute(account: Account, intent: str) -> JSON:
    """The customer's bank takes a payment back; the event that says so."""
    charge = _charge_of(account, intent)
    charge["disputed"] = True
    made = account.make("dispute", payment_intent=intent, charge=charge["id"], amount=charge["amount"],
                        currency=charge["currency"], status="needs_response",
                        reason="product_not_received")  # fmt: skip
    return account.tell("charge.dispute.created", made)


def payment_of(account: Account, invoice_id: str) -> str:
    """The payment intent that an invoice was paid with."""
    paid = next(one for one in account.every("invoice_payment") if one["invoice"] == invoice_id)
    return str(paid["payment"]["payment_intent"])


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

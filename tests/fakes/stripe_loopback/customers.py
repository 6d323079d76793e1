"""Customers, the checkout and the portal."""

from __future__ import annotations

from tests.fakes.stripe_loopback.account import JSON, Account, check_amount, check_currency, listed
from tests.fakes.stripe_loopback.money_back import charged
from tests.fakes.stripe_loopback.validation import Invalid


def list_customers(account: Account, params: JSON) -> JSON:
    return listed(account.every("customer"), params, url="/v1/customers")


def create_customer(account: Account, params: JSON) -> JSON:
    settings = {"default_payment_method": None, "custom_fields": None, "footer": None, "rendering_options": None}
    made = account.make("customer", name=params.get("name"), metadata=params.get("metadata", {}),
                        invoice_settings=settings, balance=0)  # fmt: skip
    account.tell("customer.created", made)
    return made


def update_customer(account: Account, params: JSON, *, customer: str) -> JSON:
    found = account.get("customer", customer)
    found["invoice_settings"] |= params.get("invoice_settings", {})
    account.tell("customer.updated", found)
    return found


def create_session(account: Account, params: JSON) -> JSON:
    mode = params.get("mode")
    account.get("customer", params.get("customer", ""))
    if "success_url" not in params:
        raise Invalid("Missing required param: success_url.", code="parameter_missing", param="success_url")
    if mode == "payment":
        return _payment_session(account, params)
    if mode != "setup" or "line_items" in params:
        raise Invalid("`mode` must be `payment` or `setup`.", code="parameter_invalid", param="mode")
    if "currency" not in params:
        raise Invalid("Missing required param: currency.", code="parameter_missing", param="currency")
    check_currency(params["currency"])
    intent = account.make("setup_intent", customer=params["customer"], status="requires_payment_method",
                          payment_method=None)  # fmt: skip
    return _session(account, params, currency=params["currency"], amount_total=None, setup_intent=intent["id"],
                    payment_status="no_payment_required")  # fmt: skip


def _payment_session(account: Account, params: JSON) -> JSON:
    if not params.get("line_items"):
        raise Invalid("Missing required param: line_items.", code="parameter_missing", param="line_items")
    prices = [item["price_data"] for item in params["line_items"]]
    currency, total = prices[0]["currency"], 0
    check_currency(currency)
    for item in params["line_items"]:
        if "product_data" not in item["price_data"] and "product" not in item["price_data"]:
            raise Invalid("Missing required param: product_data.", code="parameter_missing", param="line_items")
        check_amount(item["price_data"]["unit_amount"], currency)
        total += item["price_data"]["unit_amount"] * item["quantity"]
    return _session(account, params, currency=currency, amount_total=total, setup_intent=None, payment_status="unpaid")


def _session(account: Account, params: JSON, **values: object) -> JSON:
    made = account.make(
        "checkout.session", mode=params["mode"], customer=params["customer"], metadata=params.get("metadata", {}),
        status="open", payment_intent=None, expires_at=account.now() + 86_400, url="https://checkout.stripe.com/c/pay",
        success_url=params["success_url"], **values,
    )  # fmt: skip
    made["url"] += f"/{made['id']}"
    return made


def retrieve_session(account: Account, params: JSON, *, session: str) -> JSON:
    found = dict(account.get("checkout.session", session))
    if "setup_intent" in params.get("expand", []) and found["setup_intent"]:
        found["setup_intent"] = account.get("setup_intent", found["setup_intent"])
    return found


def create_portal(account: Account, params: JSON) -> JSON:
    account.get("customer", params.get("customer", ""))
    made = account.make("billing_portal.session", customer=params["customer"], return_url=params.get("return_url"))
    made["url"] = f"https://billing.stripe.com/p/session/{made['id']}"
    return made


def complete_session(account: Account, session_id: str) -> JSON:
    """The person has done what the page asks for; the event that says so."""
    session = account.get("checkout.session", session_id)
    assert session["status"] == "open"
    session["status"], session["url"] = "complete", None
    if session["mode"] == "payment":
        charge = charged(account, amount=session["amount_total"], currency=session["currency"])
        session |= {"payment_status": "paid", "payment_intent": charge["payment_intent"]}
    else:
        account.get("setup_intent", session["setup_intent"]).update(
            status="succeeded", payment_method=account.new_id("pm")
        )
    return account.tell("checkout.session.completed", session)

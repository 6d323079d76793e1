"""A strict loopback Stripe: the operations that our adapter calls and no other, with Idempotency-Keys and faults.

Simulated: states and amounts are ours, read from Stripe's documentation. Parameters, fields and example objects are
Stripe's own (`cut.py`). The client of every test is the official SDK.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any, Literal

import stripe

from tests.fakes.provider import Answer, Asked, FakeProvider
from tests.fakes.stripe_loopback import customers, invoices, money_back
from tests.fakes.stripe_loopback.account import JSON, Account, Declined
from tests.fakes.stripe_loopback.validation import API, Invalid, checked, decoded

VERSION = "2026-10-28.endive"
# Each befalls one write. `lost_*`: no answer comes, before or after the work. `kept_*`: a 500 that is kept under the
# key, without the work or after it. `locked`: a 429 that is kept; `too_many`: one that is not.
Trouble = Literal["lost_before", "lost_after", "kept_before", "kept_after", "locked", "too_many"]
TROUBLES: tuple[Trouble, ...] = ("lost_before", "lost_after", "kept_before", "kept_after", "locked", "too_many")
ROUTES: dict[str, Callable[..., JSON]] = {
    "get /v1/customers": customers.list_customers,
    "post /v1/customers": customers.create_customer,
    "post /v1/customers/{customer}": customers.update_customer,
    "post /v1/checkout/sessions": customers.create_session,
    "get /v1/checkout/sessions/{session}": customers.retrieve_session,
    "post /v1/billing_portal/sessions": customers.create_portal,
    "get /v1/invoices": invoices.list_invoices,
    "post /v1/invoices": invoices.create_invoice,
    "get /v1/invoices/{invoice}": invoices.retrieve_invoice,
    "get /v1/invoices/{invoice}/lines": invoices.list_lines,
    "post /v1/invoices/{invoice}/add_lines": invoices.add_lines,
    "post /v1/invoices/{invoice}/finalize": invoices.finalize,
    "post /v1/invoices/{invoice}/pay": invoices.pay,
    "post /v1/invoices/{invoice}/void": invoices.void,
    "get /v1/credit_notes": money_back.list_credit_notes,
    "post /v1/credit_notes": money_back.create_credit_note,
    "get /v1/credit_notes/{id}": money_back.retrieve_credit_note,
    "get /v1/refunds": money_back.list_refunds,
    "post /v1/refunds": money_back.create_refund,
    "get /v1/refunds/{refund}": money_back.retrieve_refund,
    "get /v1/disputes/{dispute}": money_back.retrieve_dispute,
    "get /v1/invoice_payments": invoices.list_payments,
    "get /v1/events": money_back.list_events,
}
_PATTERNS = {
    name: re.compile(name.split()[0] + " " + re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", name.split()[1])) for name in ROUTES
}


class LoopbackStripe(FakeProvider):
    """One account on a loopback port; `secret` signs its events."""

    def __init__(self, *, api_key: str = "sk_test_loopback", secret: str = "whsec_loopback") -> None:
        self.account = Account()
        self.api_key, self.secret = api_key, secret
        self.troubles: deque[Trouble] = deque()
        self.dice: Random | None = None  # when set, every third write meets some trouble
        self.after_write: Callable[[], None] = lambda: None  # the work is done, the answer not sent yet
        self._kept: dict[str, tuple[str, Answer]] = {}
        self._lock = threading.Lock()
        super().__init__()

    def respond(self, asked: Asked, *, fault: object) -> Answer:
        with self._lock:
            return self._respond(asked)

    def signed(self, event: JSON, *, timestamp: int | None = None) -> tuple[bytes, dict[str, str]]:
        """The event as it is posted to a webhook endpoint: body and headers, by the SDK's own signer."""
        body = json.dumps(event, indent=2)
        made = stripe.WebhookSignature.generate_signature_header(body, self.secret, timestamp)
        return body.encode(), {"Stripe-Signature": made, "Content-Type": "application/json"}

    def _respond(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {self.api_key}":
            return _error(401, "invalid_request_error", "Invalid API Key provided")
        if asked.headers.get("stripe-version") != VERSION:
            return _error(400, "invalid_request_error", f"Invalid Stripe API version, wanted {VERSION}")
        try:
            operation, ids = _route(asked)
            form = asked.body.decode() if asked.method == "POST" else asked.query
            params = checked(operation, decoded(form))
        except Invalid as error:
            return _invalid(error)
        if asked.method == "GET":
            return self._run(operation, params, ids)
        return self._write(operation, params, ids, asked)

    def _write(self, operation: str, params: JSON, ids: dict[str, str], asked: Asked) -> Answer:
        key = asked.headers.get("idempotency-key", "")
        assert 0 < len(key) <= 255, "the SDK always sends one"
        same = hashlib.sha256(json.dumps([asked.path, params], sort_keys=True).encode()).hexdigest()
        if key in self._kept:
            before, answer = self._kept[key]
            if before != same:
                message = (
                    "Keys for idempotent requests can only be used with the same parameters they were first used with."
                )
                return _error(400, "idempotency_error", message)
            return Answer(answer.status, answer.body, {**answer.headers, "Idempotent-Replayed": "true"})
        trouble = self._trouble()
        if trouble == "too_many":
            return _error(429, "invalid_request_error", "Too many requests", code="rate_limit")
        if trouble == "lost_before":
            return _cut(_json(200, {}))
        answer = _FAILING[trouble] if trouble in _FAILING else self._run(operation, params, ids)
        self.after_write()
        kept = _FAILING["kept_before"] if trouble == "kept_after" else answer
        self._kept[key] = (same, kept)
        return _cut(kept) if trouble == "lost_after" else kept

    def _trouble(self) -> Trouble | None:
        if self.troubles:
            return self.troubles.popleft()
        if self.dice is not None and self.dice.random() < 1 / 3:
            return self.dice.choice(TROUBLES)
        return None

    def _run(self, operation: str, params: JSON, ids: dict[str, str]) -> Answer:
        try:
            return _json(200, ROUTES[operation](self.account, params, **ids))
        except Invalid as error:
            return _invalid(error)
        except Declined:
            return _error(402, "card_error", "Your card was declined.", code="card_declined")


def _route(asked: Asked) -> tuple[str, dict[str, str]]:
    for name, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(f"{asked.method.lower()} {asked.path}"):
            assert name in API["operations"]
            return name, found.groupdict()
    raise Invalid(f"Unrecognized request URL ({asked.method}: {asked.path}).", code="url_unknown")


def _json(status: int, body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json", "Request-Id": "req_loopback"})


def _error(status: int, kind: str, message: str, *, code: str = "", param: str = "") -> Answer:
    error = {"type": kind, "message": message} | ({"code": code} if code else {}) | ({"param": param} if param else {})
    return _json(status, {"error": error})


def _invalid(error: Invalid) -> Answer:
    status = 404 if error.code in ("resource_missing", "url_unknown") else 400
    return _error(status, "invalid_request_error", error.message, code=error.code, param=error.param)


def _cut(answer: Answer) -> Answer:
    return Answer(answer.status, answer.body, answer.headers, send_bytes=len(answer.body) // 2)


_FAILING: dict[str, Answer] = {
    "kept_before": _error(500, "api_error", "An unknown error occurred"),
    "locked": _error(429, "invalid_request_error", "This object cannot be accessed right now", code="lock_timeout"),
}

"""What one account holds: objects by id, events in order, and a clock of its own."""

from __future__ import annotations

import copy
import json
import time
from typing import Any
from uuid import uuid4

from tests.fakes.stripe_loopback.validation import API, Invalid

JSON = dict[str, Any]
PREFIXES = {
    "customer": "cus", "checkout.session": "cs_test", "billing_portal.session": "bps", "invoice": "in",
    "line_item": "il", "credit_note": "cn", "refund": "re", "dispute": "dp", "invoice_payment": "inpay",
    "event": "evt", "setup_intent": "seti", "charge": "ch",
}  # fmt: skip
# Amounts in these are whole, or end in 0, or in 00 (docs.stripe.com/currencies).
STEPS = {"bhd": 10, "jod": 10, "kwd": 10, "omr": 10, "tnd": 10, "isk": 100}
UNKNOWN_CURRENCIES = {"clf", "uyw", "xxx", "iqd", "lyd"}


class Declined(Exception):
    """The bank says no: a 402 of the kind card_error."""


class Account:
    """The state behind the routes; changed by requests and, from the outside, by a test."""

    def __init__(self) -> None:
        self.objects: dict[str, JSON] = {}
        self.events: list[JSON] = []
        self.clock_s = 0  # added to the time
        self.declines = 0  # so many payments to come are declined
        self._count, self._mark = 0, uuid4().hex[:6]  # ids of two accounts are never the same

    def now(self) -> int:
        return int(time.time()) + self.clock_s

    def new_id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}_{self._mark}{self._count:08d}"

    def make(self, kind: str, **values: Any) -> JSON:
        """A new object: the official example, with what is true of this one. Only documented fields exist."""
        known = API["objects"][kind]
        made = copy.deepcopy(known["example"]) | {
            "id": self.new_id(PREFIXES[kind]), "object": kind, "livemode": False, "metadata": {},
        } | values  # fmt: skip
        if "created" in known["fields"]:
            made["created"] = self.now()
        made = {name: value for name, value in made.items() if name in known["fields"] or name in {"id", "object"}}
        undocumented = values.keys() - set(known["fields"])
        assert not undocumented, f"{kind} has no {undocumented}"
        self.objects[made["id"]] = made
        return made

    def get(self, kind: str, object_id: str) -> JSON:
        found = self.objects.get(object_id)
        if found is None or found["object"] != kind:
            raise Invalid(f"No such {kind}: '{object_id}'", code="resource_missing", param="id")
        return found

    def every(self, kind: str) -> list[JSON]:
        """The newest first, as all lists are."""
        return [one for one in reversed(self.objects.values()) if one["object"] == kind]

    def tell(self, kind: str, about: JSON) -> JSON:
        """An event with the object as it is at this moment."""
        event = self.make("event", type=kind, data={"object": json.loads(json.dumps(about))}, api_version="2026-10-28")
        self.events.append(event)
        return event


def listed(found: list[JSON], params: JSON, *, url: str) -> JSON:
    """A page of a list: `created`, `limit`, `starting_after`."""
    created = params.get("created", {})
    if isinstance(created, dict):
        found = [one for one in found if one.get("created", 0) >= int(created.get("gte", 0))]
    if "starting_after" in params:
        ids = [one["id"] for one in found]
        if params["starting_after"] not in ids:
            raise Invalid("No such object", code="resource_missing", param="starting_after")
        found = found[ids.index(params["starting_after"]) + 1 :]
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise Invalid("This value must be between 1 and 100", code="parameter_invalid_integer", param="limit")
    return {"object": "list", "url": url, "has_more": len(found) > limit, "data": found[:limit]}


def check_currency(currency: str) -> None:
    if currency != currency.lower() or len(currency) != 3 or currency in UNKNOWN_CURRENCIES:
        raise Invalid(f"Invalid currency: {currency}", code="parameter_invalid_string", param="currency")


def check_amount(amount: int, currency: str) -> None:
    """What is charged has the currency's own step."""
    if amount % STEPS.get(currency, 1):
        message = f"Invalid amount. {currency.upper()} must be evenly divisible by {STEPS[currency]}."
        raise Invalid(message, code="invalid_charge_amount_no_decimal_compatible", param="amount")

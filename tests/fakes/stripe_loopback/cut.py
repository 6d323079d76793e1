"""Cuts what the loopback needs out of the official data: `python tests/fakes/stripe_loopback/cut.py FOLDER`.

FOLDER holds `stripe-python-16.1.0-endpoints.json` (parameters and objects, derived from the annotations of the official
SDK) and `fixtures3.json` (Stripe's own example objects). Both are under the MIT licence, (c) Stripe.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

JSON = dict[str, Any]
# Only what the adapter calls: everything else is refused as unknown.
OPERATIONS = (
    "get /v1/customers", "post /v1/customers", "post /v1/customers/{customer}", "post /v1/checkout/sessions",
    "get /v1/checkout/sessions/{session}", "post /v1/billing_portal/sessions", "get /v1/invoices", "post /v1/invoices",
    "get /v1/invoices/{invoice}", "get /v1/invoices/{invoice}/lines", "post /v1/invoices/{invoice}/add_lines",
    "post /v1/invoices/{invoice}/finalize", "post /v1/invoices/{invoice}/pay", "post /v1/invoices/{invoice}/void",
    "get /v1/credit_notes", "post /v1/credit_notes", "get /v1/credit_notes/{id}", "get /v1/refunds",
    "post /v1/refunds", "get /v1/refunds/{refund}", "get /v1/disputes/{dispute}", "get /v1/invoice_payments",
    "get /v1/events",
)  # fmt: skip
OBJECTS = (
    "customer", "checkout.session", "billing_portal.session", "invoice", "line_item", "credit_note", "refund",
    "dispute", "invoice_payment", "event", "setup_intent", "charge",
)  # fmt: skip


def cut(folder: Path) -> JSON:
    """Operations with their closed parameter types, and an example of each object within its documented fields."""
    api = json.loads((folder / "stripe-python-16.1.0-endpoints.json").read_text("utf-8"))
    examples = json.loads((folder / "fixtures3.json").read_text("utf-8"))["resources"]
    operations, types = {}, {}
    for name in OPERATIONS:
        verb, path = name.split()
        found = api["paths"][path][verb]
        operations[name] = found.get("params")
        _collect(found.get("params"), api["params"], types)
    objects = {name: _example(name, api["objects"], examples) for name in OBJECTS}
    return {"operations": operations, "params": types, "objects": objects}


def _collect(name: str | None, known: JSON, into: JSON) -> None:
    if name is None or name in into:
        return
    into[name] = _plain(known[name])
    for wanted in _references(into[name]):
        _collect(wanted, known, into)


def _plain(schema: Any) -> Any:
    """Without descriptions."""
    if isinstance(schema, dict):
        return {key: _plain(value) for key, value in schema.items() if key != "description" or isinstance(value, dict)}
    return [_plain(value) for value in schema] if isinstance(schema, list) else schema


def _references(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        own = [schema["$ref"]] if isinstance(schema.get("$ref"), str) else []
        return own + [name for value in schema.values() for name in _references(value)]
    return [name for value in schema for name in _references(value)] if isinstance(schema, list) else []


def _example(name: str, objects: JSON, examples: JSON) -> JSON:
    fields = sorted(objects[name]["properties"])
    body = {key: value for key, value in examples.get(name, {}).items() if key in fields}
    return {"fields": fields, "example": body}


if __name__ == "__main__":
    target = Path(__file__).with_name("api.json")
    target.write_text(json.dumps(cut(Path(sys.argv[1])), separators=(",", ":"), sort_keys=True) + "\n", "utf-8")

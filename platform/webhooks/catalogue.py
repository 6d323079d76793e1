"""The `webhooks` section of the OpenAPI document: what a receiver is sent for every event type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webhooks.event_types import EVENT_TYPES, TEST

# The component of the API document that `data` looks like, by family. `destination.*` tells of the job that was copied.
COMPONENTS = {
    "transcription": "TranscriptionOut",
    "speech": "SpeechOut",
    "upload": "UploadOut",
    "api_key": "ApiKeyOut",
    "provider_credential": "ProviderCredentialOut",
}

_RESOURCE: dict[str, Any] = {
    "type": "object",
    "required": ["object", "id"],
    "properties": {
        "object": {"type": "string"},
        "id": {"type": "string"},
        "livemode": {"type": "boolean"},
        "url": {"type": "string", "description": "Where the API shows the resource; asks for your key."},
        "omitted": {
            "type": "object",
            "description": "Fields left out of this body, and why. GET the resource for them.",
            "additionalProperties": {"enum": ["too_long", "deleted", "delivered"]},
        },
    },
}
_TEXT, _TIME, _DAY = {"type": "string"}, {"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}
_MONEY = {"type": "string", "format": "decimal"}


def _told(kind: str, **fields: Any) -> dict[str, Any]:
    """Data that no route shows so: every field is always there."""
    shown = {"object": {"const": kind}, "id": _TEXT, "livemode": {"type": "boolean"}, **fields}
    return {"type": "object", "required": list(shown), "properties": shown}


_BUDGET = _told(
    "budget", name=_TEXT, amount=_MONEY, spent=_MONEY, currency=_TEXT,
    percent={"type": "integer", "description": "The threshold that was passed; 100: the budget is used up."},
    api_key_id={"type": ["string", "null"], "description": "The key that the budget is for; null: all of the tenant."},
)  # fmt: skip
# Data that is no resource of the API, by type or family.
_TOLD = {
    "webhook_endpoint": _told(
        "webhook_endpoint", event_types={"type": "array", "items": _TEXT}, enabled={"type": "boolean"},
        disabled_reason={"type": ["string", "null"]}, created_at=_TIME,
        api_url=_TEXT | {"description": "Where the API shows the endpoint; asks for your key."},
    ),
    "statement.ready": _told(
        "statement", status={"const": "closed"}, period=_TEXT | {"description": "YYYY-MM"}, currency=_TEXT,
        total=_MONEY, due=_MONEY, url=_TEXT | {"description": "Where the API shows it with its lines."},
    ),
    "usage.threshold_reached": _BUDGET,
    "budget.exhausted": _BUDGET,
    "wallet.low": _told("wallet", balance=_MONEY, held=_MONEY, currency=_TEXT),
    "model.shutdown_scheduled": _told(
        "model", url=_TEXT, shutdown_date=_DAY, replacement={"type": ["string", "null"]},
        days_left={"type": "integer"}, last_used_on=_DAY | {"description": "The last day on which you used it."},
    ),
}  # fmt: skip
# The receipt of an erasure (docs/retention.md), beside what DELETE answers.
_RECEIPT: dict[str, Any] = {
    "type": "object",
    "required": ["reason", "deleted_at"],
    "properties": {
        "reason": {"enum": ["request", "retention"], "description": "Deleted by a call, or kept as long as wanted."},
        "deleted_at": _TIME | {"description": "From this moment on nothing of the content was left."},
    },
}
_SIGNATURE = "`v1,…` and on request `v1a,…`, separated by spaces; during a rotation the older ones too."
_HEADERS = {
    "webhook-id": "The event's id, the same in every attempt: take each id once.",
    "webhook-timestamp": "Unix seconds of this attempt. Refuse what is older than five minutes.",
    "webhook-signature": _SIGNATURE,
}
_RESPONSES = {
    "2XX": {"description": "Taken. Anything else, redirects included, is tried again by the endpoint's schedule."},
    "410": {"description": "Not wanted any more: the endpoint is switched off."},
}


def webhooks_section() -> dict[str, Any]:
    """Every event type as OpenAPI 3.1 describes a webhook; it refers to the document's own components."""
    descriptions = EVENT_TYPES | {TEST: "Sent on request to one endpoint, to see that it works."}
    return {name: {"post": _operation(name, description)} for name, description in sorted(descriptions.items())}


def body_schema(event_type: str) -> dict[str, Any]:
    """What the body of an event of this type looks like."""
    return {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": event_type},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": _data(event_type),
        },
    }


def _data(event_type: str) -> Mapping[str, Any]:
    family, _, what = event_type.partition(".")
    if told := _TOLD.get(event_type) or _TOLD.get(family):
        return told
    if what == "deleted":
        return _all_of("DeletedOut", _RESOURCE, _RECEIPT)
    if family == "destination":
        return {"anyOf": [_all_of(COMPONENTS[kind], _RESOURCE) for kind in ("transcription", "speech")]}
    return _all_of(COMPONENTS[family], _RESOURCE)


def _all_of(component: str, *more: dict[str, Any]) -> dict[str, Any]:
    return {"allOf": [{"$ref": f"#/components/schemas/{component}"}, *more]}


def _operation(event_type: str, description: str) -> dict[str, Any]:
    return {
        "operationId": f"receive_{event_type.replace('.', '_')}",
        "summary": description,
        "tags": ["webhooks"],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": body_schema(event_type)}},
        },
        "responses": _RESPONSES,
    }

"""The `webhooks` section of the OpenAPI document: what a receiver is sent for every event type."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from webhooks.event_types import EVENT_TYPES, TEST

# The component of the API document that `data` looks like: by type, else by family. One that no route shows yet
# is described by `_RESOURCE` alone.
COMPONENTS = {
    "transcription.deleted": "DeletedOut",
    "transcription": "TranscriptionOut",
    "speech.deleted": "DeletedOut",
    "speech": "SpeechOut",
    "upload": "UploadOut",
    "statement": "StatementOut",
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
_ENDPOINT: dict[str, Any] = {
    "type": "object",
    "required": ["object", "id", "livemode", "event_types", "enabled", "disabled_reason", "created_at", "api_url"],
    "properties": {
        "object": {"const": "webhook_endpoint"},
        "id": {"type": "string"},
        "livemode": {"type": "boolean"},
        "event_types": {"type": "array", "items": {"type": "string"}},
        "enabled": {"type": "boolean"},
        "disabled_reason": {"type": ["string", "null"]},
        "created_at": {"type": "string", "format": "date-time"},
        "api_url": {"type": "string", "description": "Where the API shows the endpoint; asks for your key."},
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


def webhooks_section(components: Collection[str]) -> dict[str, Any]:
    """Every event type as OpenAPI 3.1 describes a webhook; `components` are the document's schemas by name."""
    descriptions = EVENT_TYPES | {TEST: "Sent on request to one endpoint, to see that it works."}
    return {
        name: {"post": _operation(name, description, components)} for name, description in sorted(descriptions.items())
    }


def body_schema(event_type: str, components: Collection[str]) -> dict[str, Any]:
    """What the body of an event of this type looks like."""
    return {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": event_type},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": _data(event_type, components),
        },
    }


def _data(event_type: str, components: Collection[str]) -> Mapping[str, Any]:
    family = event_type.partition(".")[0]
    if family == "webhook_endpoint":
        return _ENDPOINT
    component = COMPONENTS.get(event_type) or COMPONENTS.get(family)
    if component is None or component not in components:
        return _RESOURCE
    return {"allOf": [{"$ref": f"#/components/schemas/{component}"}, _RESOURCE]}


def _operation(event_type: str, description: str, components: Collection[str]) -> dict[str, Any]:
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
            "content": {"application/json": {"schema": body_schema(event_type, components)}},
        },
        "responses": _RESPONSES,
    }

"""Whether an event is what the API document says, and what the SDK makes of it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from parlance import webhooks
from parlance.webhooks import UnknownEvent

SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ="


@cache
def document() -> Any:
    return json.loads((Path(__file__).parents[1] / "openapi.json").read_text("utf-8"))


def check_told(body: dict[str, Any]) -> Any:
    """The typed event of a body, as sent or as /v1/events shows it, without a field that is not documented."""
    shown = {"type": body["type"], "timestamp": body.get("timestamp") or body["created_at"], "data": body["data"]}
    schema = document()["webhooks"][body["type"]]["post"]["requestBody"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": document()["components"]})
    assert [error.message for error in validator.iter_errors(shown)] == []
    raw = json.dumps(shown).encode()
    headers = webhooks.sign(raw, secret=SECRET, event_id="evt_1", timestamp=1_700_000_000)
    event = webhooks.unwrap(raw, headers, secret=SECRET, now=1_700_000_000)
    assert not isinstance(event, UnknownEvent), shown
    assert not event.data.model_extra, event.data.model_extra
    return event

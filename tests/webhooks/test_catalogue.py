"""The `webhooks` section of the API document: every type is there, and what is sent is what it says."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from stack import Stack

from events import bodies
from tests.api.calls import order, transcribe
from tests.api.media import tone
from webhooks.catalogue import COMPONENTS, body_schema
from webhooks.event_types import EVENT_TYPES, TEST
from webhooks.facade import deliver_due, dispatch_events

ALL = sorted((*EVENT_TYPES, TEST))


@pytest.fixture(scope="module")
def document(migrated: None) -> Any:
    from config.api import openapi

    return openapi()


def validator(document: Any, event_type: str) -> Draft202012Validator:
    """Of the schema in the document's own section; references are looked up in the document."""
    operation = document["webhooks"][event_type]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": document["components"]})


def errors(document: Any, body: Any) -> list[str]:
    return [error.message for error in validator(document, body["type"]).iter_errors(body)]


@pytest.fixture(scope="module")
def told(stack: Stack) -> dict[str, Any]:
    """The events of real jobs by type, as the running service tells them."""
    client = stack.tenant(f"told {time.time_ns()}").test
    transcribe(client, tone(), metadata='{"team": "품질"}')
    transcribe(client, tone(), simulate="permanent_error")
    slow = order(client, tone(), simulate="slow:20000").json()["id"]
    assert client.post(f"/v1/transcriptions/{slow}/cancel").status_code == 200
    gone = transcribe(client, tone(seed=2))
    assert client.delete(f"/v1/transcriptions/{gone['id']}").is_success
    wanted = {f"transcription.{state}" for state in ("completed", "failed", "canceled", "deleted")}
    ends_at = time.monotonic() + 20
    while True:
        events = {event["type"]: event for event in client.get("/v1/events?limit=100").json()["data"]}
        if wanted <= events.keys():
            return events
        assert time.monotonic() < ends_at, sorted(events)
        time.sleep(0.05)


def body_of(event: Any) -> Any:
    return {"type": event["type"], "timestamp": event["created_at"], "data": event["data"]}


def test_every_event_type_is_described_once(document: Any) -> None:
    assert list(document["webhooks"]) == ALL
    operations = [shown["post"] for shown in document["webhooks"].values()]
    assert len({shown["operationId"] for shown in operations}) == len(ALL)
    for shown in operations:
        headers = [given["name"] for given in shown["parameters"]]
        assert headers == ["webhook-id", "webhook-timestamp", "webhook-signature"]


@pytest.mark.parametrize("event_type", ALL)
def test_every_schema_is_one_and_its_references_lead_somewhere(document: Any, event_type: str) -> None:
    schema = validator(document, event_type).schema
    Draft202012Validator.check_schema(schema)
    names = [
        part["$ref"].rpartition("/")[2] for part in schema["properties"]["data"].get("allOf", []) if "$ref" in part
    ]
    assert set(names) <= set(document["components"]["schemas"])


def test_events_of_transcriptions_and_uploads_are_the_resources_that_get_shows(document: Any) -> None:
    for event_type in EVENT_TYPES:
        family = event_type.partition(".")[0]
        if family in {"transcription", "upload"}:
            component = "DeletedOut" if event_type.endswith(".deleted") else COMPONENTS[family]
            data = body_schema(event_type)["properties"]["data"]
            assert {"$ref": f"#/components/schemas/{component}"} in data["allOf"], event_type


def test_what_is_really_told_of_jobs_keeps_to_its_schema(told: dict[str, Any], document: Any) -> None:
    for event in told.values():
        assert errors(document, body_of(event)) == [], event["type"]


def test_a_body_that_had_to_be_shortened_keeps_to_its_schema(told: dict[str, Any], document: Any) -> None:
    data = told["transcription.completed"]["data"] | {"metadata": {str(number): "x" * 500 for number in range(50)}}
    encoded = bodies.encode("transcription.completed", at=datetime(2026, 11, 22, tzinfo=UTC), data=data)
    assert json.loads(encoded)["data"]["omitted"] == {"metadata": "too_long"}
    assert errors(document, json.loads(encoded)) == []


@pytest.mark.parametrize(
    "wrong",
    [{"id": 1}, {"status": "done"}, {"omitted": {"text": "gone"}}, {"metadata": None}, {"object": "speech"}],
)
def test_the_schema_sees_what_is_wrong(told: dict[str, Any], document: Any, wrong: dict[str, Any]) -> None:
    body = body_of(told["transcription.completed"])
    assert errors(document, body) == []
    assert errors(document, body | {"data": body["data"] | wrong}) != []
    assert errors(document, body | {"more": 1}) != []


def test_what_is_really_sent_about_an_endpoint_keeps_to_its_schema(
    alice: Any, receiver: Any, http: Any, document: Any, publish: Any, receivers: Any
) -> None:
    watching = receivers()
    body = {"url": watching.url, "event_types": ["webhook_endpoint.*"]}
    made = http(alice, "POST", "/v1/webhook-endpoints", body)[1]
    gone = http(alice, "POST", "/v1/webhook-endpoints", {"url": receiver.url, "event_types": ["speech.*"]})[1]
    receiver.reply.status = 410
    for each in (made, gone):
        assert http(alice, "POST", f"/v1/webhook-endpoints/{each['id']}/test")[0] == 202
    for _ in range(2):
        dispatch_events()
        deliver_due()
    sent = [json.loads(got.body) for got in watching.got]
    assert {event["type"] for event in sent} >= {TEST, "webhook_endpoint.disabled"}
    for event in sent:
        assert errors(document, event) == []
        assert event["data"]["api_url"].endswith(event["data"]["id"])

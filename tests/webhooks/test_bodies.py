"""Event bodies stay below 20 kB: what makes them too long is left out and named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apikit import ids
from events import bodies
from events.facade import publish as publish_event
from tenants.facade import tenant_context
from webhooks.facade import deliver_due, dispatch_events

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HUGE = {f"{number:040}": "é" * 250 for number in range(50)}  # as much as the API takes


def encode(data: dict[str, Any]) -> Any:
    encoded = bodies.encode("transcription.completed", at=NOW, data=data)
    assert len(encoded) < 20_000
    return json.loads(encoded)


def test_a_short_body_is_left_alone() -> None:
    data = {"id": "trn_1", "metadata": {"a": "한글"}, "tags": ["x"]}
    assert encode(data) == {"type": "transcription.completed", "timestamp": "2026-11-22T12:00:00.000Z", "data": data}


def test_the_largest_field_goes_first_and_only_as_many_as_needed() -> None:
    data = {"id": "trn_1", "url": "https://x/", "metadata": HUGE, "tags": ["t" * 64] * 20, "filename": "a.wav"}
    shown = encode(data)["data"]
    assert shown == data | {"metadata": {}, "omitted": {"metadata": "too_long"}}


def test_several_fields_may_have_to_go() -> None:
    data = {"id": "trn_1", "metadata": HUGE, "tags": ["t" * 64] * 400, "note": "n" * 25_000}
    shown = encode(data)["data"]
    assert (shown["metadata"], shown["tags"], shown["note"]) == ({}, [], None)
    assert set(shown["omitted"]) == {"metadata", "tags", "note"}


@given(st.integers(min_value=19_700, max_value=20_100))
def test_the_limit_is_exact(size: int) -> None:
    data = {"id": "trn_1", "metadata": {"a": ""}}
    bare = len(bodies.encode("transcription.completed", at=NOW, data=data))
    shown = encode(data | {"metadata": {"a": "x" * (size - bare)}})["data"]
    assert ("omitted" in shown) is (size >= 20_000)


def test_what_cannot_be_shortened_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="too long"):
        encode({"id": "x" * 20_000})


def test_a_job_with_huge_metadata_is_told_of_all_the_same(alice: Any, endpoint: Any, receiver: Any, http: Any) -> None:
    data = {"id": "trn_1", "object": "transcription", "metadata": HUGE}
    with tenant_context(alice.tenant):
        publish_event(
            "transcription.completed", tenant_id=alice.id, livemode=True, subject_id=ids.new_id(), sequence=1,
            data=data,
        )  # fmt: skip
    dispatch_events()
    deliver_due()
    assert len(receiver.got[0].body) < 20_000
    assert json.loads(receiver.got[0].body)["data"]["omitted"] == {"metadata": "too_long"}
    [event] = http(alice, "GET", "/v1/events")[1]["data"]
    assert event["data"]["omitted"] == {"metadata": "too_long"}

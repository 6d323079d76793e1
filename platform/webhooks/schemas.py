"""Bodies and answers of the webhook routes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field, StringConstraints

from apikit.facade import Body

# No NUL: PostgreSQL's text and jsonb cannot hold it.
Text = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]
Key = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
EventTypes = Annotated[list[str], Field(min_length=1, max_length=50)]
Metadata = Annotated[dict[Key, Text], Field(max_length=50)]


class EndpointIn(Body):
    """A new endpoint."""

    url: Url
    event_types: EventTypes
    description: Text = ""
    metadata: Metadata = Field(default_factory=dict)


class EndpointPatch(Body):
    """What to change; a field left out stays as it is."""

    url: Url | None = None
    event_types: EventTypes | None = None
    enabled: bool | None = None
    description: Text | None = None
    metadata: Metadata | None = None


class RotationIn(Body):
    """How long the old secret signs along: 0 to 168 hours, 24 when left out."""

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = 24


class EndpointOut(Schema):
    """An endpoint; `secret` is shown when one endpoint is made, read, changed or rotated, not in lists."""

    object: Literal["webhook_endpoint"]
    id: str
    livemode: bool
    url: str
    event_types: list[str]
    enabled: bool
    disabled_reason: str | None
    description: str
    metadata: dict[str, str]
    created_at: str
    previous_secret_expires_at: str | None
    secret: str | None = None


class EndpointList(Schema):
    """A page of endpoints, newest first."""

    object: Literal["list"]
    data: list[EndpointOut]
    has_more: bool
    next_cursor: str | None


class Deleted(Schema):
    """What was deleted."""

    object: Literal["webhook_endpoint"]
    id: str
    deleted: Literal[True]


class EventOut(Schema):
    """An event; `data` is what its deliveries carry."""

    object: Literal["event"]
    id: str
    livemode: bool
    type: str
    created_at: str
    sequence: int
    position: int | None
    data: dict[str, Any]


class EventList(Schema):
    """A page of events: newest first, or with `after` oldest first and `next_after` for the next poll."""

    object: Literal["list"]
    data: list[EventOut]
    has_more: bool
    next_cursor: str | None
    next_after: int | None = None


class TestSent(Schema):
    """The test event that is on its way."""

    object: Literal["event"]
    id: str
    type: str


class AttemptOut(Schema):
    """One attempt; `response` is the beginning of a failed one's answer."""

    number: int
    manual: bool
    started_at: str
    finished_at: str | None
    status: int | None
    error: str | None
    latency_ms: int | None
    response: str | None


class DeliveryOut(Schema):
    """One event on its way to one endpoint; `attempts` when one delivery is read."""

    object: Literal["delivery"]
    id: str
    livemode: bool
    event_id: str
    event_type: str
    endpoint_id: str
    state: Literal["pending", "sending", "delivered", "failed", "canceled"]
    attempt_count: int
    next_attempt_at: str | None
    last_status: int | None
    last_error: str | None
    created_at: str
    finished_at: str | None
    attempts: list[AttemptOut] | None = None


class DeliveryList(Schema):
    """A page of deliveries, newest event first."""

    object: Literal["list"]
    data: list[DeliveryOut]
    has_more: bool
    next_cursor: str | None

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
Schedule = Annotated[list[Annotated[int, Field(ge=0, le=86_400)]], Field(min_length=1, max_length=20)]
Rate = Annotated[float, Field(ge=0.01, le=1000)]
InFlight = Annotated[int, Field(ge=1, le=16)]
Headers = Annotated[dict[str, str], Field(max_length=20)]
Signature = Literal["v1", "v1+v1a"]
Include = Annotated[list[Literal["text"]], Field(max_length=1)]


class EndpointIn(Body):
    """A new endpoint."""

    url: Url
    event_types: EventTypes
    description: Text = ""
    metadata: Metadata = Field(default_factory=dict)
    include: Include = Field(default_factory=list, description='`["text"]`: bodies carry the text, up to 16 kB of it.')
    headers: Headers = Field(default_factory=dict, description="Sent with every delivery; values are shown only now.")
    signature: Signature = Field("v1", description="`v1+v1a` adds ed25519 signatures, which need no shared secret.")
    schedule: Schedule | None = Field(
        None, description="Seconds to wait before each attempt, the first included; null: ten attempts over 75 hours."
    )
    rate_per_s: Rate | None = Field(None, description="Deliveries per second at most; null: no limit of its own.")
    max_in_flight: InFlight = Field(4, description="Deliveries under way at once.")


class EndpointPatch(Body):
    """What to change; a field left out stays as it is. null takes `schedule` and `rate_per_s` back to the default."""

    url: Url | None = None
    event_types: EventTypes | None = None
    enabled: bool | None = None
    description: Text | None = None
    metadata: Metadata | None = None
    include: Include | None = None
    headers: Headers | None = Field(None, description="All of them anew; {} for none.")
    signature: Signature | None = None
    schedule: Schedule | None = None
    rate_per_s: Rate | None = None
    max_in_flight: InFlight | None = None


class RotationIn(Body):
    """How long the old secret signs along: 0 to 168 hours, 24 when left out."""

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = 24


class EndpointHealth(Schema):
    """`failing`: no success since; `probing`: one delivery at a time until one succeeds; `disabled`: switched off.

    One that its failures switched off is tried again by itself at `next_try_at`, or at once when you enable it.
    """

    status: Literal["ok", "failing", "probing", "disabled"]
    failing_since: str | None
    last_success_at: str | None
    next_try_at: str | None


class EndpointOut(Schema):
    """An endpoint; `secret` is shown when one endpoint is made, read, changed or rotated, not in lists.

    `kind` is `job` for a URL that jobs named themselves. Header values are masked but when the endpoint is made.
    """

    object: Literal["webhook_endpoint"]
    id: str
    livemode: bool
    kind: Literal["endpoint", "job"]
    url: str
    event_types: list[str]
    include: list[Literal["text"]]
    enabled: bool
    disabled_reason: str | None
    description: str
    metadata: dict[str, str]
    headers: dict[str, str]
    schedule: list[int] | None
    rate_per_s: float | None
    max_in_flight: int
    signature: Signature
    public_key: str | None
    health: EndpointHealth
    created_at: str
    previous_secret_expires_at: str | None
    secret: str | None = None


class JobSecretOut(Schema):
    """The secret that verifies the events sent to the URLs that jobs named (`webhook_url`), one per mode."""

    object: Literal["webhook_job_secret"]
    livemode: bool
    secret: str
    previous_secret_expires_at: str | None


class EndpointList(Schema):
    """A page of endpoints, newest first."""

    object: Literal["list"]
    data: list[EndpointOut]
    has_more: bool
    next_cursor: str | None


class DeletedEndpointOut(Schema):
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
    """One attempt. Headers and `response`, the answer's beginning, are kept for failures and the last 100 successes."""

    number: int
    manual: bool
    started_at: str
    finished_at: str | None
    status: int | None
    error: str | None
    latency_ms: int | None
    response: str | None
    request_headers: dict[str, str] | None
    response_headers: dict[str, str] | None


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

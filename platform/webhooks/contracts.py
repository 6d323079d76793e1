"""Values between the layers of `webhooks`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

State = Literal["pending", "leased", "delivered", "failed", "canceled"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one POST: a status, or an error class where there was none."""

    status: int | None
    error: str | None
    retry_after: str | None = None
    latency_ms: int = 0
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an answer; times are seconds from now by the database's clock."""

    state: Literal["delivered", "pending", "failed"]
    delay_s: float | None = None
    error: str | None = None
    pause_s: float | None = None  # the whole endpoint rests: its receiver said it is busy
    endpoint_gone: bool = False


@dataclass(frozen=True, slots=True)
class DueEndpoint:
    """An endpoint with something to do; `free` is how many more of its deliveries may be in flight."""

    id: UUID
    tenant_id: UUID
    enabled: bool
    deleted: bool
    free: int
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """One leased delivery; `token` fences every later write."""

    created_at: datetime
    id: UUID
    tenant_id: UUID
    endpoint_id: UUID
    event_id: UUID
    attempt: int
    attempts_left: int
    lost: int
    manual: bool
    token: UUID
    revision: int = 0  # of the endpoint's URL and secrets, when it was claimed


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an endpoint's events go and what signs them; the older secret counts until it expires."""

    url: str = field(repr=False)
    secret: str = field(repr=False)
    previous_secret: str | None = field(default=None, repr=False)
    previous_expires_at: datetime | None = None

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """The secrets that sign, the newest first: two while a rotation's overlap lasts."""
        if self.previous_secret is None or self.previous_expires_at is None or self.previous_expires_at <= now:
            return (self.secret,)
        return (self.secret, self.previous_secret)


@dataclass(frozen=True, slots=True)
class Parcel:
    """Everything one POST needs, so that the sending thread touches no database."""

    claim: Claim
    destination: Destination
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A claim and what came of it."""

    claim: Claim
    answer: Answer


@dataclass(frozen=True, slots=True)
class EndpointView:
    """An endpoint as its tenant sees it; `secret` only where it is to be shown."""

    id: UUID
    livemode: bool
    url: str
    event_types: tuple[str, ...]
    enabled: bool
    disabled_reason: str
    description: str
    metadata: Mapping[str, str]
    created_at: datetime
    secret: str | None = field(default=None, repr=False)
    previous_secret_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventView:
    """One stored event."""

    id: UUID
    livemode: bool
    type: str
    created_at: datetime
    sequence: int
    position: int | None
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt; without `finished_at` it is under way or its sender died before it could tell."""

    number: int
    manual: bool
    started_at: datetime
    finished_at: datetime | None
    status: int | None
    error: str | None
    latency_ms: int | None
    response: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One event on its way to one endpoint."""

    id: UUID
    livemode: bool
    event_id: UUID
    event_type: str
    endpoint_id: UUID
    state: State
    attempt: int
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None
    attempts: tuple[AttemptView, ...] | None = None

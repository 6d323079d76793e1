"""Values between the layers of `webhooks`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

State = Literal["pending", "leased", "delivered", "failed", "canceled"]
Kind = Literal["endpoint", "job"]
Signature = Literal["v1", "v1+v1a"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one POST: a status, or an error class where there was none."""

    status: int | None
    error: str | None
    retry_after: str | None = None
    latency_ms: int = 0
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # of the answer, what the log keeps
    sent: Mapping[str, str] = field(default_factory=dict, repr=False)  # of the request, without values of secrets


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
    """An endpoint with something to do; `free` is how many more of its deliveries may start now."""

    id: UUID
    tenant_id: UUID
    enabled: bool
    deleted: bool
    free: int
    revision: int = 0
    rated: bool = False  # its own rate, not what is in flight, sets `free`
    steps_s: tuple[int, ...] | None = None  # its own schedule
    reopens: bool = False  # was disabled by its failures, and its pause is over


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
    steps_s: tuple[int, ...] | None = None  # the endpoint's own schedule


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an endpoint's events go and what signs them; older secret and key count until they expire."""

    url: str = field(repr=False)
    secret: str = field(repr=False)
    previous_secret: str | None = field(default=None, repr=False)
    previous_expires_at: datetime | None = None
    signing_key: str | None = field(default=None, repr=False)
    previous_signing_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # the tenant's own
    include_text: bool = False

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """The secrets that sign, the newest first: two while a rotation's overlap lasts."""
        return self._both_at(now, self.secret, self.previous_secret)

    def signing_keys_at(self, now: datetime) -> tuple[str, ...]:
        """The keys that sign too, the newest first; none unless the endpoint asked for `v1a`."""
        return self._both_at(now, self.signing_key, self.previous_signing_key) if self.signing_key else ()

    def _both_at(self, now: datetime, newest: str | None, previous: str | None) -> tuple[str, ...]:
        overlaps = self.previous_expires_at is not None and self.previous_expires_at > now
        return tuple(each for each in (newest, previous if overlaps else None) if each is not None)


@dataclass(frozen=True, slots=True)
class Parcel:
    """Everything one POST needs, so that the sending thread touches no database."""

    claim: Claim
    destination: Destination
    body: bytes = field(repr=False)
    traceparent: str = ""  # of the job that the event is about, where traces are kept


@dataclass(frozen=True, slots=True)
class Outcome:
    """A claim and what came of it."""

    claim: Claim
    answer: Answer


@dataclass(frozen=True, slots=True)
class Tuning:
    """How an endpoint is sent to, beyond where and what; the defaults are what most receivers want."""

    schedule: tuple[int, ...] | None = None  # seconds before each attempt; None: the specification's
    rate_per_s: float | None = None
    max_in_flight: int = 4
    signature: Signature = "v1"
    include_text: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an endpoint does: what its last answers say, and when it is tried again by itself."""

    status: Literal["ok", "failing", "probing", "disabled"] = "ok"
    failing_since: datetime | None = None
    last_success_at: datetime | None = None
    next_try_at: datetime | None = None


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
    kind: Kind = "endpoint"
    tuning: Tuning = Tuning()
    public_key: str | None = None
    standing: Standing = Standing()


@dataclass(frozen=True, slots=True)
class JobSecretView:
    """The secret that signs what goes to jobs' own URLs."""

    livemode: bool
    secret: str = field(repr=False)
    previous_secret_expires_at: datetime | None


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
    request_headers: Mapping[str, str] | None = field(default=None, repr=False)  # values that may be secret: "…"
    response_headers: Mapping[str, str] | None = field(default=None, repr=False)


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

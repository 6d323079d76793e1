"""Values that cross the border of `dispatch`. No content is ever in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Literal
from uuid import UUID

ServiceClass = Literal["interactive", "batch"]
INTERACTIVE: ServiceClass = "interactive"
BATCH: ServiceClass = "batch"

TERMINAL = frozenset({"completed", "failed", "canceled"})


def queue_name(executor: str, service_class: ServiceClass) -> str:
    """Queue is executor times class.

    >>> queue_name("local:pocketsphinx", "batch")
    'local:pocketsphinx/batch'
    """
    return f"{executor}/{service_class}"


def executor_of(queue: str) -> str:
    """The executor that serves a queue."""
    return queue.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as it is accepted."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    kind: str
    service_class: ServiceClass
    api_key_id: UUID
    price_version: int | None
    weight: int
    deadline_s: int
    traceparent: str


@dataclass(frozen=True, slots=True)
class NewItem:
    """One step to be done: `cost_ms` is the expected time of the executor; the span is of the job's audio.

    `choice` is which engine of the job's route is to do it.
    """

    step: str
    executor: str
    cost_ms: int
    ordinal: int = 0
    start_ms: int = 0
    end_ms: int = 0
    choice: int = 0


# The columns of `JobRow`, in its order.
JOB_COLUMNS = """id, tenant_id, livemode, kind, state, service_class, api_key_id, created_at, started_at, finished_at,
 measured_ms, engine, price_version, segments_total, segments_left, done_ms, readable_ms, event_sequence, error_code,
 traceparent"""


@dataclass(frozen=True, slots=True)
class JobRow:
    """The content-free register's row."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    kind: str
    state: str
    service_class: ServiceClass
    api_key_id: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    measured_ms: int | None
    engine: str | None
    price_version: int | None
    segments_total: int
    segments_left: int
    done_ms: int
    readable_ms: int
    event_sequence: int
    error_code: str | None
    traceparent: str


@dataclass(frozen=True, slots=True)
class Lease:
    """A claimed item. Every later write is fenced by `token`; `lost` is set when the lease is gone."""

    item_id: int
    token: UUID
    job_id: UUID
    tenant_id: UUID
    kind: str
    lane_id: int
    queue: str
    step: str
    ordinal: int
    start_ms: int
    end_ms: int
    cost_ms: int
    attempt: int
    choice: int = 0
    call: int | None = None  # the engine attempt that is under way
    inline: bool = False
    lost: Event = field(default_factory=Event, compare=False)

    def check(self) -> None:
        """Raises `LeaseLost` when the job was canceled or somebody else holds the item now."""
        if self.lost.is_set():
            raise LeaseLost


@dataclass(frozen=True, slots=True)
class JobKind:
    """How one kind of job is worked on and how it fails; `run` returns leases that follow at once in this process."""

    run: Callable[[Lease], list[Lease]]
    fail: Callable[[UUID, UUID, str, str, Lease | None], None]  # job id, tenant id, code, detail, dead letter's lease


JobKinds = Mapping[str, JobKind]
DueHandlers = Mapping[str, Callable[[UUID, UUID], None]]  # tenant id, subject id


class DispatchError(Exception):
    """Base of errors of `dispatch`.

    DispatchError
    ├── LeaseLost   the item is no longer ours: stop, write nothing
    ├── RetryLater  the step failed in a way that may pass
    ├── GiveUp      the step failed for good; the job fails with this code and detail
    └── Overloaded  work waits too long already: take no more
    """


class LeaseLost(DispatchError):
    """The lease expired, or its job ended: nothing may be written any more."""


class RetryLater(DispatchError):
    """Try again after a delay; after the last attempt the job fails with this code and leaves a dead letter."""

    def __init__(self, code: str, detail: str, *, delay_s: float | None = None) -> None:
        super().__init__(code)
        self.code, self.detail, self.delay_s = code, detail, delay_s


class GiveUp(DispatchError):
    """The job fails now; `replayable` when an operator may be able to mend the reason: then a dead letter is left."""

    def __init__(self, code: str, detail: str, *, replayable: bool = False) -> None:
        super().__init__(code)
        self.code, self.detail, self.replayable = code, detail, replayable


class Overloaded(DispatchError):
    """Interactive work has been waiting longer than the operator's limit."""

    def __init__(self, age_s: int) -> None:
        super().__init__("overloaded")
        self.age_s = age_s

"""Bodies and answers of the replay routes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field

from apikit.facade import Body


def _from_text(value: Any) -> Any:
    """RFC 3339 text only: numbers would be read as seconds by some and as milliseconds by others."""
    if not isinstance(value, str):
        raise ValueError("write a time such as 2026-11-23T09:00:00Z")
    return datetime.fromisoformat(value)


def _in_range(value: datetime) -> datetime:
    if not 2000 <= value.year <= 2200:  # PostgreSQL and Python disagree at the ends of time
        raise ValueError("write a time of this century")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_from_text), AfterValidator(_in_range)]
EventTypes = Annotated[list[str], Field(min_length=1, max_length=50)]
State = Literal["running", "completed", "canceled"]


class RecoverIn(Body):
    """Everything since then that this endpoint wants and has not received; with `dry_run` it is only counted."""

    since: Moment
    dry_run: bool = False


class ReplayIn(Body):
    """Everything of a time range, received or not; `event_types` narrows the endpoint's own filter."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    from_: Moment = Field(alias="from")
    to: Moment
    event_types: EventTypes | None = None
    dry_run: bool = False


class ReplayCount(Schema):
    """What a replay would send now; nothing was started."""

    object: Literal["webhook_replay_count"]
    endpoint_id: str
    count: int


class ReplayOut(Schema):
    """A replay. `opened_count` deliveries are on their way or done, of the `expected_count` at its start."""

    model_config = ConfigDict(populate_by_name=True)

    object: Literal["webhook_replay"]
    id: str
    livemode: bool
    endpoint_id: str
    only_missed: bool
    from_: str = Field(alias="from")
    to: str
    event_types: list[str]
    state: State
    expected_count: int
    opened_count: int
    created_at: str
    finished_at: str | None


class ReplayList(Schema):
    """A page of an endpoint's replays, newest first."""

    object: Literal["list"]
    data: list[ReplayOut]
    has_more: bool
    next_cursor: str | None

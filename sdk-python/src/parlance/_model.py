"""What every answer of the API is made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A value from the API. Fields of a newer server are kept, not refused; they stand in `model_extra`."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        populate_by_name=True,
        protected_namespaces=(),
        defer_build=True,  # most programs use few of the models: each is built when it is first needed
    )


class BaseEvent(Model):
    """A webhook that was verified. `id` is the same in every attempt: handle each id once."""

    id: str
    timestamp: datetime


class UnknownEvent(BaseEvent):
    """An event of a type, or with data, that this version of the SDK does not know."""

    type: str
    data: dict[str, Any]
    is_known: Literal[False] = False

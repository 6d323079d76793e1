"""Base of every request and response model."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A request body: unknown fields and wrong types are refused with the field's path.

    Not ninja's `Schema`, which looks at every value a second time, as if it might be a Django object.
    """

    model_config = ConfigDict(extra="forbid", strict=True)


class ProblemFieldOut(BaseModel):
    """One wrong field."""

    field: str
    code: str
    detail: str


class ProblemOut(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemFieldOut] | None = None

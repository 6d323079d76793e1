"""Base of every request and response model."""

from __future__ import annotations

from ninja import Schema
from pydantic import BaseModel, ConfigDict


class Body(Schema):
    """A request body: unknown fields and wrong types are refused with the field's path."""

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

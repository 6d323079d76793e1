"""Bodies and answers of the operator's routes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from apikit.facade import Body

TenantName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]


class TenantIn(Body):
    """A new tenant."""

    name: TenantName
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(
        "USD", description="ISO 4217; what it is billed in, for good."
    )
    time_zone: Annotated[str, StringConstraints(max_length=64)] = Field("UTC", description="IANA; of its billing day.")


class TenantCloseIn(Body):
    """When the content goes."""

    grace_days: int = Field(30, ge=0, le=3650, description="Days until everything with content is erased.")


class TenantOut(BaseModel):
    """A tenant: a customer of whoever runs this service."""

    id: str
    object: Literal["tenant"]
    url: str
    name: str
    status: Literal["active", "suspended", "closed"]
    currency: str
    time_zone: str
    policies: dict[str, Any] = Field(description="Only what differs from the default.")
    created: str
    closed_at: str | None
    erase_at: str | None = Field(description="When its content goes.")
    erased_at: str | None


class NewTenantOut(TenantOut):
    """A tenant just made, with its first keys: store them now."""

    api_key: str
    test_api_key: str


class TenantListOut(BaseModel):
    object: Literal["list"]
    data: list[TenantOut]
    has_more: bool
    next_cursor: str | None

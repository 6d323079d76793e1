"""Bodies and answers of the routes of members."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from apikit.facade import Body
from console.members.roles import Role

Email = Annotated[
    str, StringConstraints(max_length=200, pattern=r"^[^\s@\x00-\x1f]+@[^\s@\x00-\x1f]+\.[^\s@\x00-\x1f]+$")
]


class MemberIn(Body):
    """Whom to invite."""

    email: Email
    role: Role


class MemberPatch(Body):
    """What to change."""

    role: Role


class MemberOut(BaseModel):
    """A person of the tenant."""

    id: str
    object: Literal["member"]
    url: str
    email: str
    role: Role
    status: Literal["invited", "active"] = Field(description="active: the link was used.")
    created: str


class InvitedMemberOut(MemberOut):
    """A person with the link by which to join: pass it on now."""

    join_url: str = Field(description="Works once, for a day.")


class MemberListOut(BaseModel):
    object: Literal["list"]
    data: list[MemberOut]
    has_more: bool
    next_cursor: str | None


class DeletedMemberOut(BaseModel):
    """Who was removed."""

    object: Literal["member"]
    id: str
    deleted: Literal[True]

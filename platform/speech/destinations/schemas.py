"""What the routes of destinations take and give."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from apikit.facade import Body

_ADDRESS = re.compile(r"[\d.]+")


def _bucket(name: str) -> str:
    if ".." in name or _ADDRESS.fullmatch(name):
        raise ValueError("a bucket's name has no two dots in a row and is no address")
    return name


def _prefix(text: str) -> str:
    if text.startswith("/") or any(part in {".", ".."} for part in text.split("/")):
        raise ValueError("a prefix begins without `/` and has no `.` or `..` between slashes")
    return text


Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"), AfterValidator(_bucket)]
Prefix = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9!_.*'()/=-]*$"), AfterValidator(_prefix)]


class DestinationIn(Body):
    """A bucket of yours, and a role that may write there."""

    bucket: Bucket
    prefix: Prefix = Field(default="", description="What every key begins with, such as `parlance/`.")
    region: str = Field(pattern=r"^[a-z]{2,4}(-[a-z]+){1,2}-\d$", description="The bucket's, such as ap-northeast-2.")
    role_arn: str = Field(
        max_length=600,
        pattern=r"^arn:aws(-cn|-us-gov)?:iam::\d{12}:role/[A-Za-z0-9_+=,.@/-]+$",
        description="We take this role on; its trust policy must require the `external_id` of the answer.",
    )
    endpoint_url: str = Field(default="", max_length=300, description="Not AWS, but a service the operator allows.")


class DestinationOut(BaseModel):
    """Verified by a write and a delete in the bucket; orders name its id."""

    id: str
    object: Literal["destination"]
    livemode: bool
    bucket: str
    prefix: str
    region: str
    role_arn: str
    external_id: str
    endpoint_url: str
    status: Literal["unverified", "verified"]
    verified_at: str | None
    created: str


class DestinationListOut(BaseModel):
    object: Literal["list"]
    data: list[DestinationOut]
    has_more: bool
    next_cursor: str | None


class DestinationDeletedOut(BaseModel):
    id: str
    object: Literal["destination"]
    deleted: Literal[True]

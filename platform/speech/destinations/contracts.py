"""Values of destinations."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Place:
    """Where and as whom to write. `external_id` is ours: the role's trust policy must ask for it."""

    bucket: str
    prefix: str
    region: str
    endpoint_url: str  # "" is AWS itself
    role_arn: str
    external_id: str


@dataclass(frozen=True, slots=True)
class NamedDestination:
    """The destination that an order names."""

    id: UUID
    prefix: str

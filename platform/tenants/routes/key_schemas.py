"""Bodies and answers of the routes of API keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints

from apikit.facade import Body
from apikit.limits.contracts import MAX_AT_ONCE, MAX_PERIOD_S, MAX_QUOTA, Limit, Rate, Rates
from tenants.key_rights import networks
from tenants.keys import SCOPES
from tenants.routing_policy import MAX_FALLBACKS, Optimize, RoutingPolicy

Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Words = Annotated[list[Word], Field(max_length=50)]


def _scope(text: str) -> str:
    if text not in SCOPES:
        raise ValueError(f"unknown scope. Known: {', '.join(sorted(SCOPES))}")
    return text


def _network(text: str) -> str:
    try:
        return networks([text])[0]
    except ValueError:
        raise ValueError("write an address or a network, such as 203.0.113.7 or 10.0.0.0/8") from None


def _moment(value: Any) -> Any:
    """Strict models take a time as text only here: JSON has no other."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ValueError("write RFC 3339 such as 2027-01-01T00:00:00Z")
    return moment


def _future(moment: datetime) -> datetime:
    if moment <= datetime.now(UTC):
        raise ValueError("must be in the future; to end a key now, revoke it")
    return moment


Scope = Annotated[str, AfterValidator(_scope), Field(json_schema_extra={"enum": sorted(SCOPES)})]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=len(SCOPES))]
Network = Annotated[str, StringConstraints(max_length=64), AfterValidator(_network)]
Networks = Annotated[list[Network], Field(max_length=50)]
End = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_future)]


class KeyRate(Body):
    """So much per so many seconds."""

    quota: int = Field(ge=1, le=MAX_QUOTA)
    period_s: int = Field(ge=1, le=MAX_PERIOD_S)


class KeyLimits(Body):
    """Rates of the key's own, beside the tenant's."""

    requests: KeyRate | None = None
    audio_seconds: KeyRate | None = None
    characters: KeyRate | None = None
    concurrency: int | None = Field(
        default=None, ge=1, le=MAX_AT_ONCE, description="So many requests at the same moment."
    )

    def rates(self) -> Rates:
        """As they are charged."""
        given: dict[Limit, Any] = self.model_dump(exclude_none=True)  # type: ignore[assignment]  # the fields' names
        return {name: Rate(one, 0) if isinstance(one, int) else Rate(**one) for name, one in given.items()}


class KeyRouting(Body):
    """Which engines the key may use, beside what its tenant may."""

    optimize: Optimize | None = None
    regions: Words | None = None
    allow: Words | None = None
    deny: Words = Field(default_factory=list)
    local_only: bool = False
    fallbacks: int | None = Field(default=None, ge=0, le=MAX_FALLBACKS)
    hedge: bool | None = None

    def policy(self) -> RoutingPolicy:
        """As it is kept."""
        return RoutingPolicy.parse(self.model_dump(exclude_none=True))


class ApiKeyIn(Body):
    """A new key, of the mode of the key that makes it and with no more rights than that has."""

    name: Name = ""
    scopes: Scopes = Field(description="What it may do; only scopes that the calling key has.")
    ip_allow: Networks | None = Field(None, description="Where it may be used; left out: where the calling key may.")
    expires_at: End | None = Field(None, description="When it ends; left out: when the calling key does, if ever.")
    limits: KeyLimits = KeyLimits()
    routing: KeyRouting = KeyRouting()


class ApiKeyPatch(Body):
    """What to change; a field left out stays as it is."""

    name: Name | None = None
    scopes: Scopes | None = None
    ip_allow: Networks | None = Field(None, description="All of them anew; [] for anywhere.")
    expires_at: End | None = None
    limits: KeyLimits | None = Field(None, description="All of them anew; {} for none of its own.")


class KeyRotationIn(Body):
    """How long the old key still works beside the new one: 0 to 168 hours, 24 when left out."""

    overlap_hours: int = Field(24, ge=0, le=168)


class ApiKeyOut(BaseModel):
    """A key: what it may do. Its secret is shown once, by the request that makes it."""

    id: str
    object: Literal["api_key"]
    url: str
    livemode: bool
    name: str
    hint: str = Field(description="The beginning and the last four characters.")
    status: Literal["active", "expired", "revoked"]
    scopes: list[str]
    ip_allow: list[str] = Field(description="Empty: anywhere.")
    limits: KeyLimits
    routing: KeyRouting
    created: str
    created_by: str = Field(description="The key that made it, or `operator`.")
    expires_at: str | None
    revoked_at: str | None
    replaced_by: str | None = Field(description="After a rotation: the new key.")
    last_used_at: str | None = Field(description="To the minute.")


class NewApiKeyOut(ApiKeyOut):
    """A key just made, with its secret: store it now."""

    secret: str


class ApiKeyListOut(BaseModel):
    object: Literal["list"]
    data: list[ApiKeyOut]
    has_more: bool
    next_cursor: str | None

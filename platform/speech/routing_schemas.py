"""The field `routing` of an order, as JSON and as form fields."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from apikit.facade import Body, FieldError, Problem, read_json
from tenants.facade import ANY_ENGINE, RoutingPolicy


def _words(value: Any) -> Any:
    """A form's text is a list with commas, and its empty text an empty list."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\w.-]+$")]
Names = Annotated[list[Name], Field(max_length=20), BeforeValidator(_words)]


class RoutingIn(Body):
    """Which engines may hear this recording. What the key's or the tenant's policy forbids stays forbidden."""

    optimize: Literal["cost", "latency", "quality"] | None = Field(
        default=None, description="What to prefer among engines that fit; default: the tenant's policy."
    )
    regions: Names | None = Field(
        default=None, description="Regions that providers may work in, such as eu; engines on this machine always may."
    )
    allow: Names | None = Field(default=None, description="Only these engines.")
    deny: Names = Field(default_factory=list, description="Never these engines.")
    local_only: bool = Field(default=False, description="Only engines on this machine: no audio leaves it.")
    fallbacks: Annotated[int, Field(ge=0, le=10)] | None = Field(
        default=None, description="How many other engines may be tried when the first fails; default: all that fit."
    )
    hedge: bool | None = Field(
        default=None,
        description="Of a short recording that is waited for: ask the next provider beside a first one that is slow, "
        "and take the answer that comes first. Billed once, as who answered.",
    )


def policy_of(asked: RoutingIn | None, *, engines: frozenset[str]) -> RoutingPolicy:
    """The policy that was asked for; raises a 422 `Problem` for an engine that nobody knows, as a typo would be."""
    if asked is None:
        return ANY_ENGINE
    policy = RoutingPolicy(
        optimize=asked.optimize,
        regions=None if asked.regions is None else tuple(asked.regions),
        allow=None if asked.allow is None else tuple(asked.allow),
        deny=tuple(asked.deny),
        local_only=asked.local_only,
        fallbacks=asked.fallbacks,
        hedge=asked.hedge,
    )
    unknown = sorted(policy.engines() - engines)
    if unknown:
        field = "routing.allow" if unknown[0] in (policy.allow or ()) else "routing.deny"
        detail = f"There is no engine {unknown[0]}. Engines: {', '.join(sorted(engines))}."
        raise Problem("invalid_request", 422, detail, [FieldError(field, "unknown_engine", detail)])
    return policy


def read_routing(text: str) -> Any:
    """The JSON object of a form's field `routing`; raises a 422 `Problem`."""
    try:
        return read_json(text)
    except Problem:
        error = FieldError("routing", "invalid_json", 'Send a JSON object such as {"optimize": "cost"}.')
        raise Problem("invalid_request", 422, "routing is not a JSON object.", [error]) from None

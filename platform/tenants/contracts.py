"""Values that cross the border of `tenants`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from apikit import ids
from apikit.limits.contracts import NO_RATES, Rates, parse_rates, stored_rates
from tenants.context import TenantRef
from tenants.models import ApiKey
from tenants.routing_policy import ANY_ENGINE, RoutingPolicy


@dataclass(frozen=True, slots=True)
class Policies:
    """What the operator decided for a tenant beyond its keys' rights.

    `webhook_hosts` limits where a job's own `webhook_url` may lead: None means anywhere, an empty tuple nowhere.
    Content of a job is erased `delete_after_s` after its end: None never, 0 once it was fetched (zero retention).
    Files of speech go after `speech_keep_days` without use, and beyond `speech_keep_mb` (10^6 bytes) in each mode.
    """

    reuse: bool = False
    webhook_hosts: tuple[str, ...] | None = None
    routing: RoutingPolicy = ANY_ENGINE
    speech_keep_days: int = 30
    speech_keep_mb: int = 50_000
    delete_after_s: int | None = None
    limits: Rates = field(default_factory=dict)  # instead of the plan's and the operator's defaults
    plan: str = ""  # whose limits count where the tenant has none of its own; "" is no plan

    @classmethod
    def parse(cls, stored: Mapping[str, Any]) -> Policies:
        """The policies as they were stored; an unknown one is refused, because it may forbid what would follow.

        >>> Policies.parse({"webhook_hosts": ["a.example"]}).webhook_hosts
        ('a.example',)
        """
        unknown = stored.keys() - {one.name for one in fields(cls)}
        if unknown:
            raise ValueError(f"unknown policies: {', '.join(sorted(unknown))}")
        reuse, hosts = stored.get("reuse", False), stored.get("webhook_hosts")
        routing = stored.get("routing", {})
        if not (isinstance(reuse, bool) and isinstance(routing, dict) and isinstance(hosts, list | tuple | None)):
            raise ValueError("policies have a wrong type")
        hosts = None if hosts is None else tuple(map(str, hosts))
        keeps = {name: stored[name] for name in ("speech_keep_days", "speech_keep_mb") if name in stored}
        if any(not isinstance(value, int) or isinstance(value, bool) or value < 1 for value in keeps.values()):
            raise ValueError("policies: what is kept is a whole number of at least 1")
        delete_after_s = stored.get("delete_after_s")
        if delete_after_s is not None and (type(delete_after_s) is not int or delete_after_s < 0):
            raise ValueError("policies: delete_after_s is a whole number of seconds, or null")
        plan = stored.get("plan", "")
        if not isinstance(plan, str):
            raise ValueError("policies: plan is a name")
        routes, limits = RoutingPolicy.parse(routing), parse_rates(stored.get("limits", {}))
        return cls(
            reuse=reuse,
            webhook_hosts=hosts,
            routing=routes,
            limits=limits,
            delete_after_s=delete_after_s,
            plan=plan,
            **keeps,
        )

    def stored(self) -> dict[str, Any]:
        """What `parse` reads: only what differs from the default, in JSON's own types.

        >>> Policies(webhook_hosts=()).stored()
        {'webhook_hosts': []}
        """
        hosts = None if self.webhook_hosts is None else list(self.webhook_hosts)
        values: dict[str, Any] = {"webhook_hosts": hosts, "routing": self.routing.stored()}
        values["limits"] = stored_rates(self.limits)
        return {
            one.name: values.get(one.name, getattr(self, one.name))
            for one in fields(self)
            if getattr(self, one.name) != getattr(NO_POLICIES, one.name)
        }


NO_POLICIES = Policies()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, known from the key alone."""

    tenant: TenantRef
    key_id: UUID
    livemode: bool
    scopes: frozenset[str]
    currency: str
    weight: int
    active: bool = True
    policies: Policies = NO_POLICIES
    routing: RoutingPolicy = ANY_ENGINE  # the key's own, beside the tenant's
    limits: Rates = field(default_factory=lambda: NO_RATES)  # the key's own, beside the tenant's

    @property
    def tenant_id(self) -> UUID:
        assert self.tenant.id is not None
        return self.tenant.id


@dataclass(frozen=True, slots=True)
class Operator:
    """Who calls `/v1/admin/`: a key of the operator's, of no tenant and no mode."""

    key_id: UUID

    @property
    def actor(self) -> str:
        """As the audit log names it."""
        return ids.show(ids.OPERATOR_KEY, self.key_id)


@dataclass(frozen=True, slots=True)
class NewOperatorKey:
    """An operator's key just made; `secret` is shown once and stored nowhere."""

    id: UUID
    secret: str = field(repr=False)
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant just made."""

    id: UUID
    name: str
    schema_name: str


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `secret` is shown once and stored nowhere."""

    id: UUID
    secret: str
    livemode: bool
    scopes: tuple[str, ...]
    expires_at: datetime | None
    row: ApiKey = field(repr=False)

"""Keys and their like as the API and events show them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from apikit import ids
from apikit.limits.contracts import Rate, parse_rates
from tenants.models import ApiKey, Tenant
from tenants.routing_policy import RoutingPolicy


def api_key(row: ApiKey) -> dict[str, Any]:
    """A key: what it may do, never its secret."""
    shown_id = ids.show(ids.API_KEY, row.id)
    return {
        "id": shown_id,
        "object": "api_key",
        "url": f"{settings.PUBLIC_URL}/v1/api-keys/{shown_id}",
        "livemode": row.livemode,
        "name": row.name,
        "hint": row.hint,
        "status": _status(row),
        "scopes": list(row.scopes),
        "ip_allow": list(row.ip_allow),
        "limits": {meter: _rate(rate) for meter, rate in parse_rates(row.limits).items()},
        "routing": RoutingPolicy.parse(row.routing).stored(),
        "created": stamp(row.created_at),
        "created_by": _maker(row.created_by),
        "expires_at": stamp(row.expires_at),
        "revoked_at": stamp(row.revoked_at),
        "replaced_by": ids.show(ids.API_KEY, row.replaced_by) if row.replaced_by else None,
        "last_used_at": stamp(row.last_used_at),
    }


def tenant(row: Tenant) -> dict[str, Any]:
    """A tenant as the operator sees it."""
    shown_id = ids.show(ids.TENANT, row.id)
    return {
        "id": shown_id,
        "object": "tenant",
        "url": f"{settings.PUBLIC_URL}/v1/admin/tenants/{shown_id}",
        "name": row.name,
        "status": row.status,
        "currency": row.currency,
        "time_zone": row.time_zone,
        "policies": row.policies,
        "created": stamp(row.created_at),
        "closed_at": stamp(row.closed_at),
        "erase_at": stamp(row.erase_at),
        "erased_at": stamp(row.erased_at),
    }


def stamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_uuid(text: str) -> UUID | None:
    """The id that a text is, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _rate(rate: Rate) -> dict[str, int] | int:
    """Without a period: so many at the same moment."""
    return rate.quota if not rate.period_s else {"quota": rate.quota, "period_s": rate.period_s}


def _status(row: ApiKey) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= datetime.now(UTC) else "active"


def _maker(created_by: str) -> str:
    """The key that made it, or `operator`."""
    key_id = as_uuid(created_by)
    return ids.show(ids.API_KEY, key_id) if key_id else "operator"

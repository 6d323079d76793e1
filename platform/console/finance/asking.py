"""What a page's address asks for: a month, a tenant, a place to go on from."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from console.finance.handling import Refusal, Visit
from tenants.facade import all_tenants, find_tenant

NO_RIGHT = "Your role does not allow this."


def month_of(visit: Visit) -> date:
    """The month that is asked for (`?month=2026-10`); the current one without it."""
    raw = visit.request.GET.get("month") or visit.request.POST.get("month") or f"{datetime.now(UTC):%Y-%m}"
    try:
        return datetime.strptime(f"{raw}-01", "%Y-%m-%d").date()  # noqa: DTZ007  # a month has no zone
    except ValueError:
        raise Refusal(422, "Write the month like 2026-10.") from None


def tenant_of(visit: Visit, raw: str | None = None) -> UUID | None:
    """The tenant that is asked for by name or id; None for all."""
    wanted = raw if raw is not None else visit.request.GET.get("tenant", "")
    if not wanted:
        return None
    found = find_tenant(wanted)
    if found is None:
        raise Refusal(422, f"There is no tenant {wanted[:80]!r}, or several of that name.")
    return UUID(str(found.id))


def names() -> dict[UUID, str]:
    """Every tenant's name."""
    return {UUID(str(tenant.id)): tenant.name for tenant in all_tenants()}


def require(visit: Visit, right: str) -> None:
    """A step that a role may take, by a form; raises `Refusal`."""
    if not visit.may(right):
        raise Refusal(403, NO_RIGHT)
    if visit.request.method != "POST":
        raise Refusal(405, "There is no such page.")

"""`/v1/audit-log`: who changed what of a tenant, from where, before and after."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field

from apikit.facade import MAX_LIMIT, Body, FieldError, Problem, decode_cursor, page
from events.facade import AuditWanted, audit_rows
from tenants import audit_shown
from tenants.http import ApiKeyAuth, caller_with

READ = "audit_log:read"

router = Router(auth=ApiKeyAuth(), tags=["audit log"])


class AuditQuery(Body):
    """Which rows; all of them must fit."""

    limit: int = Field(20, ge=1, le=MAX_LIMIT, strict=False)
    cursor: str | None = None
    action: str | None = Field(None, max_length=64, description="`api_key.created`, or `api_key.*` for all of a kind.")
    subject: str | None = Field(None, max_length=64, description="What was changed: an id such as key_….")
    actor: str | None = Field(None, max_length=64, description="Who changed it: an id such as key_…, or `operator`.")
    from_: str | None = Field(None, alias="from", description="RFC 3339; not earlier.")
    to: str | None = Field(None, description="RFC 3339; earlier than this.")


class AuditActorOut(BaseModel):
    """Who: a key, a member, the operator of this service, or the system by itself."""

    type: Literal["api_key", "member", "operator", "system"]
    id: str | None


class AuditEntryOut(BaseModel):
    """One change. `before` and `after` hold what changed, never a secret and no content."""

    id: str
    object: Literal["audit_entry"]
    livemode: bool | None = Field(description="null: the change is of both modes.")
    action: str
    actor: AuditActorOut
    subject: str
    address: str | None
    user_agent: str | None
    request_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    created: str


class AuditListOut(BaseModel):
    object: Literal["list"]
    data: list[AuditEntryOut]
    has_more: bool
    next_cursor: str | None


@router.get("", response=AuditListOut, by_alias=True, operation_id="list_audit_log")
def list_audit_log(request: HttpRequest, wanted: Query[AuditQuery]) -> Any:
    """Changes of the key's mode, newest first; a live key sees those of both modes' concern too. Kept for good."""
    caller = caller_with(request, READ)
    _check_names(request)
    found = AuditWanted(
        tenant_id=caller.tenant_id, livemode=caller.livemode, action=wanted.action or "",
        subject=audit_shown.stored(wanted.subject or ""), actor=audit_shown.stored(wanted.actor or ""),
        start=_moment("from", wanted.from_), end=_moment("to", wanted.to),
        before=decode_cursor(wanted.cursor) if wanted.cursor else None,
    )  # fmt: skip
    rows = audit_rows(found, limit=wanted.limit + 1)
    return page(rows, limit=wanted.limit, id_of=lambda row: row.id, shown=audit_shown.entry)


def _check_names(request: HttpRequest) -> None:
    known = {field.alias or name for name, field in AuditQuery.model_fields.items()}
    unknown = sorted(set(request.GET) - known)
    if unknown:
        raise _refused(unknown[0], "unknown_field", f"Known fields: {', '.join(sorted(known))}.")


def _moment(field: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _refused(field, "invalid_time", "Use RFC 3339 such as 2026-11-01T00:00:00Z; write + as %2B.")
    return moment


def _refused(field: str, code: str, detail: str) -> Problem:
    return Problem("invalid_request", 422, f"{field}: {detail}", [FieldError(field, code, detail)])

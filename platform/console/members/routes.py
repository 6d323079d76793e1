"""`/v1/members`: a tenant's people, invited by a link that works once."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from apikit import ids
from apikit.facade import MAX_LIMIT, Problem, decode_cursor, not_found, page
from console.members import services
from console.members.schemas import (
    DeletedMemberOut,
    InvitedMemberOut,
    MemberIn,
    MemberListOut,
    MemberOut,
    MemberPatch,
)
from console.models import Staff
from tenants.facade import ApiKeyAuth, Caller, caller_with

MANAGE = "members:manage"

router = Router(auth=ApiKeyAuth(), tags=["members"])


@router.post("", response={201: InvitedMemberOut}, operation_id="create_member")
def create(request: HttpRequest, body: MemberIn, response: HttpResponse) -> Any:
    """Invite somebody. `join_url` is in this answer and nowhere else: pass it on; it works once, for a day."""
    caller = caller_with(request, MANAGE)
    if not caller.livemode:
        raise Problem("live_key_required", 403, "People are of no mode: manage them with a live key.")
    member, path = services.invite(caller, email=body.email.lower(), role=body.role)
    response["Location"] = f"/v1/members/{ids.show(ids.MEMBER, member.id)}"
    return 201, _with_link(member, path, response)


@router.get("", response=MemberListOut, operation_id="list_members")
def list_members(
    request: HttpRequest, limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20, cursor: str | None = None
) -> Any:
    """People of the tenant, newest first. A test key sees none."""
    rows = services.members_of(caller_with(request, MANAGE)).order_by("-id")
    before = decode_cursor(cursor) if cursor else None
    rows = rows.filter(id__lt=before) if before else rows
    return page(list(rows[: limit + 1]), limit=limit, id_of=lambda row: row.id, shown=_shown)


@router.get("/{member_id}", response=MemberOut, operation_id="get_member")
def get_member(request: HttpRequest, member_id: str) -> Any:
    """One of them."""
    row = services.members_of(caller_with(request, MANAGE)).filter(pk=_id(member_id)).first()
    if row is None:
        raise not_found("member")
    return _shown(row)


@router.patch("/{member_id}", response=MemberOut, operation_id="change_member")
def patch(request: HttpRequest, member_id: str, body: MemberPatch) -> Any:
    """Change the role. The last owner who has joined stays one."""
    changed = services.change_role(_manager(request), _id(member_id), role=body.role)
    if changed is None:
        raise not_found("member")
    return _shown(changed)


@router.post("/{member_id}/invite", response=InvitedMemberOut, operation_id="invite_member")
def invite(request: HttpRequest, member_id: str, response: HttpResponse) -> Any:
    """A new link for who lost the old one, or password and authenticator: it has these chosen anew. Older links end."""
    invited = services.invite_again(_manager(request), _id(member_id))
    if invited is None:
        raise not_found("member")
    return _with_link(*invited, response)


@router.delete("/{member_id}", response=DeletedMemberOut, operation_id="delete_member")
def delete(request: HttpRequest, member_id: str) -> Any:
    """Remove somebody. Keys stay: revoke those that the person knew."""
    if not services.remove(_manager(request), _id(member_id)):
        raise not_found("member")
    return {"object": "member", "id": member_id, "deleted": True}


def _manager(request: HttpRequest) -> Caller:
    return caller_with(request, MANAGE)


def _id(shown_id: str) -> UUID:
    found = ids.parse(ids.MEMBER, shown_id)
    if found is None:
        raise not_found("member")
    return found


def _shown(row: Staff) -> dict[str, Any]:
    shown_id = ids.show(ids.MEMBER, row.id)
    return {
        "id": shown_id,
        "object": "member",
        "url": f"{settings.PUBLIC_URL}/v1/members/{shown_id}",
        "email": row.email,
        "role": row.roles[0],
        "status": "active" if row.joined else "invited",
        "created": row.created_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def _with_link(row: Staff, path: str, response: HttpResponse) -> dict[str, Any]:
    response["Cache-Control"] = "no-store"
    return {**_shown(row), "join_url": f"{settings.PUBLIC_URL}{path}"}

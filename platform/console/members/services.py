"""Writes of members, each one transaction with its audit entry, behind the walls of the caller's tenant.

The audit log is kept for good and names members by their ids, so that a removed person's address is gone.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, transaction

from apikit.facade import Problem
from console.members.roles import OWNER, missing_for
from console.models import Staff
from events.facade import record_audit
from tenants.facade import Caller

MAX_MEMBERS: Final = 200


def members_of(caller: Caller) -> Any:
    """The query for the tenant's people: a live key's concern, to a test key there are none."""
    own = Staff.objects.filter(tenant_id=caller.tenant_id)
    return own if caller.livemode else own.none()


def invite(caller: Caller, *, email: str, role: str) -> tuple[Staff, str]:
    """A new member and the path of the link by which the person joins; raises a `Problem`."""
    require_rights(caller, role)
    with transaction.atomic(using=DEFAULT_DB_ALIAS):
        everybody = _locked(caller)
        if any(one.email == email for one in everybody):
            raise Problem("member_exists", 409, "Somebody of this address is a member. Change the role instead.")
        if len(everybody) >= MAX_MEMBERS:
            raise Problem("too_many_members", 422, f"There are {MAX_MEMBERS} members already. Remove who has left.")
        member = Staff.objects.create(tenant_id=caller.tenant_id, email=email, roles=[role])
        path = _link(member)
        _audit("invited", member, caller, after=_audited(member))
    return member, path


def invite_again(caller: Caller, member_id: UUID) -> tuple[Staff, str] | None:
    """A new link; the older one ends. Password and authenticator stay until it is used. None: no such member."""
    with transaction.atomic(using=DEFAULT_DB_ALIAS):
        member = _of(_locked(caller), member_id)
        if member is None:
            return None
        require_rights(caller, member.roles[0])
        path = _link(member)
        _audit("invited", member, caller, before=_audited(member), after=_audited(member))
    return member, path


def change_role(caller: Caller, member_id: UUID, *, role: str) -> Staff | None:
    """The member with the new role; None when there is no such member."""
    with transaction.atomic(using=DEFAULT_DB_ALIAS):
        everybody = _locked(caller)
        member = _of(everybody, member_id)
        if member is None:
            return None
        for one in (member.roles[0], role):
            require_rights(caller, one)
        if role != OWNER and _is_last_owner(member, everybody):
            raise _last_owner()
        before, member.roles = _audited(member), [role]
        member.save(update_fields=["roles"])
        _audit("role_changed", member, caller, before=before, after=_audited(member))
    return member


def remove(caller: Caller, member_id: UUID) -> bool:
    """The person is gone, links and all; False when there is no such member."""
    with transaction.atomic(using=DEFAULT_DB_ALIAS):
        everybody = _locked(caller)
        member = _of(everybody, member_id)
        if member is None:
            return False
        require_rights(caller, member.roles[0])
        if _is_last_owner(member, everybody):
            raise _last_owner()
        _audit("removed", member, caller, before=_audited(member))
        member.delete()
    return True


def require_rights(caller: Caller, role: str) -> None:
    """Raises a 422 `Problem` for a role that stands for more than the key may."""
    missing = missing_for(role, caller.scopes)
    if missing:
        detail = f"This key lacks scopes that a member of the role {role} has: {', '.join(missing)}."
        raise Problem("key_too_wide", 422, detail)


def _locked(caller: Caller) -> list[Staff]:
    """All of the tenant's people, in one order, until the transaction ends: two owners cannot remove each other."""
    return list(members_of(caller).order_by("id").select_for_update())


def _of(everybody: list[Staff], member_id: UUID) -> Staff | None:
    return next((one for one in everybody if one.id == member_id), None)


def _is_last_owner(member: Staff, everybody: list[Staff]) -> bool:
    """Whether no owner would be left, or of those who joined none."""
    if OWNER not in member.roles:
        return False
    others = [one for one in everybody if OWNER in one.roles and one.id != member.id]
    return not others or (member.joined and not any(one.joined for one in others))


def _last_owner() -> Problem:
    return Problem("last_owner", 409, "No owner who has joined would be left. Make another member owner first.")


def _link(member: Staff) -> str:
    from console.finance.people import make_link  # brings hashers and ciphers, which no other request needs

    return make_link(member, using=DEFAULT_DB_ALIAS)


def _audited(member: Staff) -> dict[str, Any]:
    return {"role": member.roles[0], "status": "active" if member.joined else "invited"}


def _audit(action: str, member: Staff, caller: Caller, **states: Any) -> None:
    record_audit(
        f"member.{action}", actor=str(caller.key_id), subject=str(member.id), tenant_id=caller.tenant_id, **states
    )

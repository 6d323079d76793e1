"""Keys of the operator's: made, listed and revoked by the owner of the database, recognized by one function.

They are asked of the database at every request: there are few, and a revoked one is dead at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from apikit.limits.contracts import Charge, Rate
from events.facade import record_audit
from tenants import keys
from tenants.context import PUBLIC, tenant_context
from tenants.contracts import NewOperatorKey, Operator
from tenants.errors import AddressRefused, KeyRefused
from tenants.key_rights import is_inside, networks
from tenants.models import OperatorKey
from tenants.peppers import peppers

OWNER: Final = "owner"
RATE: Final = Rate(300, 60)  # by hand or by a billing system nobody needs more; a loop gone wild is stopped


def create_operator_key(
    name: str, *, ip_allow: Sequence[str] = (), expires_at: datetime | None = None, actor: str = "operator"
) -> NewOperatorKey:
    """Mint a key for `/v1/admin/`. Raises ValueError without a name and for what is no network."""
    if not name.strip():
        raise ValueError("say by its name whose key it is: the audit log tells that")
    secret = keys.generate_operator()
    row = OperatorKey(
        name=name.strip()[:200], digest=peppers().digest(secret, peppers().newest), pepper_version=peppers().newest,
        hint=keys.hint(secret), ip_allow=networks(ip_allow), expires_at=expires_at,
    )  # fmt: skip
    with transaction.atomic(using=OWNER):
        row.save(using=OWNER, force_insert=True)
        record_audit("operator_key.created", actor=actor, subject=str(row.id), tenant_id=None, after=_audited(row),
                     using=OWNER)  # fmt: skip
    return NewOperatorKey(row.id, secret, row.expires_at)


def operator_keys() -> list[OperatorKey]:
    """All of them, revoked ones too, oldest first."""
    return list(OperatorKey.objects.using(OWNER).order_by("id"))


def revoke_operator_key(key_id: UUID, *, actor: str = "operator") -> bool:
    """Revoke at once; False when there is no such living key."""
    with transaction.atomic(using=OWNER):
        row = OperatorKey.objects.using(OWNER).select_for_update().filter(pk=key_id, revoked_at=None).first()
        if row is None:
            return False
        before, row.revoked_at = _audited(row), datetime.now(UTC)
        row.save(using=OWNER, update_fields=["revoked_at"])
        record_audit("operator_key.revoked", actor=actor, subject=str(row.id), tenant_id=None, before=before,
                     after=_audited(row), using=OWNER)  # fmt: skip
    return True


def authenticate_operator(key: str, *, address: str) -> Operator:
    """The holder of a well-formed key; raises `KeyRefused` or `AddressRefused`."""
    with tenant_context(PUBLIC), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM public.parlance_operator(%s)", [peppers().digests(key)])
        row = cursor.fetchone()
        if row is None:
            raise KeyRefused
        key_id, ip_allow, expires_at, revoked_at = row
        if revoked_at is not None or (expires_at is not None and expires_at <= datetime.now(UTC)):
            raise KeyRefused
        if ip_allow and not is_inside(address, ip_allow):
            raise AddressRefused
        cursor.execute("SELECT public.parlance_operator_used(%s)", [key_id])
    return Operator(key_id)


def charges_of_operator(operator: Operator) -> list[Charge]:
    """What a request of an operator's has to fit into."""
    return [Charge(f"{operator.actor}:requests", "requests", RATE, 1)]


def _audited(row: OperatorKey) -> dict[str, object]:
    ends = row.expires_at.isoformat() if row.expires_at else None
    return {"name": row.name, "hint": row.hint, "ip_allow": row.ip_allow, "expires_at": ends,
            "revoked": row.revoked_at is not None}  # fmt: skip

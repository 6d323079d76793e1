"""Writes of API keys. Each is one transaction with its audit entry; then every process forgets what it knew of keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apikit import ids
from apikit.limits.contracts import NO_RATES, Rates, narrower_of, parse_rates, stored_rates
from events.facade import publish, record_audit
from tenants import forgetting, keys
from tenants.contracts import Caller, NewKey
from tenants.errors import WiderThanSelf
from tenants.key_rights import addresses_within, end_within
from tenants.models import ApiKey
from tenants.peppers import peppers
from tenants.routing_policy import ANY_ENGINE, RoutingPolicy, narrowed
from tenants.shown import api_key

OWNER = "owner"
MAX_OVERLAP = timedelta(days=7)  # longer, and a leaked key lives on unnoticed
# An event's place among its key's: a receiver that gets them out of order can tell.
CREATED, EXPIRING, REVOKED = 1, 2, 3


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What to change of a key; None leaves it as it is. An end cannot be taken away, only moved."""

    name: str | None = None
    scopes: Sequence[str] | None = None
    ip_allow: Sequence[str] | None = None
    expires_at: datetime | None = None
    limits: Rates | None = None


def create_key(
    tenant_id: UUID,
    *,
    livemode: bool = True,
    scopes: Iterable[str] = keys.SCOPES,
    name: str = "",
    ip_allow: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    routing: RoutingPolicy = ANY_ENGINE,
    limits: Rates = NO_RATES,
    by: Caller | None = None,
    actor: str = "operator",
    using: str = OWNER,
) -> NewKey:
    """Mint a key. A caller's key mints within its own tenant, mode, scopes, addresses and life; raises `WiderThanSelf`.

    Without addresses or an end the new key has those of the caller's. What the caller's key may not use of engines and
    rates, the new one may not either. Raises ValueError for unknown scopes and for what is no network.
    """
    wanted = frozenset(scopes)
    _check_scopes(wanted, livemode=livemode, tenant_id=tenant_id, by=by)
    secret, made_by = keys.generate(livemode=livemode), by and _row_of(by, using=using)
    row = ApiKey(
        tenant_id=tenant_id,
        livemode=livemode,
        name=name,
        digest=peppers().digest(secret, peppers().newest),
        pepper_version=peppers().newest,
        hint=keys.hint(secret),
        scopes=sorted(wanted),
        ip_allow=addresses_within(ip_allow, made_by.ip_allow if made_by else []),
        expires_at=end_within(expires_at, made_by.expires_at if made_by else None),
        created_by=str(by.key_id) if by else actor,
        routing=narrowed([routing, by.routing] if by else [routing]).stored(),
        limits=_limits_within(limits, by),
    )
    # The first key of a mode is nobody's news: who could hear of it got it from the operator.
    is_news = ApiKey.objects.using(using).filter(tenant_id=tenant_id, livemode=livemode).exists()
    with transaction.atomic(using=using):
        row.save(using=using, force_insert=True)
        _audit("created", row, actor=row.created_by, after=audited(row), using=using)
        if is_news:
            _publish("created", row, number=CREATED, using=using)
    return NewKey(row.id, secret, livemode, tuple(row.scopes), row.expires_at, row)


def change_key(caller: Caller, key_id: UUID, *, change: KeyChange, using: str) -> ApiKey | None:
    """Change a living key of the caller's tenant and mode; None when there is none.

    Raises `WiderThanSelf` when what it is given goes beyond the caller's own key, and ValueError as `create_key` does.
    """
    with transaction.atomic(using=using):
        row: ApiKey | None = living(caller, key_id, using=using).select_for_update().first()
        if row is None:
            return None
        before, own = audited(row), _row_of(caller, using=using)
        if change.scopes is not None:
            wanted = frozenset(change.scopes)
            _check_scopes(wanted, livemode=row.livemode, tenant_id=row.tenant_id, by=caller)
            row.scopes = sorted(wanted)
        if change.ip_allow is not None:
            row.ip_allow = addresses_within(change.ip_allow, own.ip_allow)
        if change.expires_at is not None:
            row.expires_at, row.expiring_told = end_within(change.expires_at, own.expires_at), False
        if change.limits is not None:
            row.limits = _limits_within(change.limits, caller)
        row.name = row.name if change.name is None else change.name
        row.save(
            using=using, update_fields=["name", "scopes", "ip_allow", "expires_at", "expiring_told", "limits"]
        )  # fmt: skip
        _audit("updated", row, actor=str(caller.key_id), before=before, after=audited(row), using=using)
        forgetting.forget_on_commit(using=using)
    return row


def rotate_key(key_id: UUID, *, overlap: timedelta, by: Caller | None = None, using: str = OWNER) -> NewKey:
    """A new key with the old one's rights; the old one dies after the overlap (0 to 7 days).

    Raises ValueError for another overlap, `WiderThanSelf` for a key that may more than the caller's, and
    `ApiKey.DoesNotExist`.
    """
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise ValueError("overlap must be between 0 and 7 days")
    with transaction.atomic(using=using):
        old = ApiKey.objects.using(using).select_for_update().get(pk=key_id, revoked_at=None)
        before = audited(old)
        new = create_key(
            old.tenant_id, livemode=old.livemode, scopes=old.scopes, name=old.name, ip_allow=old.ip_allow,
            expires_at=old.expires_at, routing=RoutingPolicy.parse(old.routing), limits=parse_rates(old.limits), by=by,
            using=using,
        )  # fmt: skip
        end = datetime.now(UTC) + overlap
        old.expires_at = min(old.expires_at, end) if old.expires_at else end
        old.replaced_by = new.id
        old.save(using=using, update_fields=["expires_at", "replaced_by"])
        actor = str(by.key_id) if by else "operator"
        after = audited(old) | {"replaced_by": ids.show(ids.API_KEY, new.id)}
        _audit("rotated", old, actor=actor, before=before, after=after, using=using)
        forgetting.forget_on_commit(using=using)
    return new


def revoke_key(key_id: UUID, *, actor: str, using: str = OWNER) -> bool:
    """Revoke at once, in every process; False when there is no such living key."""
    with transaction.atomic(using=using):
        row = ApiKey.objects.using(using).select_for_update().filter(pk=key_id, revoked_at=None).first()
        if row is None:
            return False
        before, row.revoked_at = audited(row), datetime.now(UTC)
        row.save(using=using, update_fields=["revoked_at"])
        _audit("revoked", row, actor=actor, before=before, after=audited(row), using=using)
        _publish("revoked", row, number=REVOKED, using=using)
        forgetting.forget_on_commit(using=using)
    return True


def living(caller: Caller, key_id: UUID, *, using: str) -> Any:
    """The query for a key of the caller's tenant and mode that was not revoked."""
    own = ApiKey.objects.using(using).filter(tenant_id=caller.tenant_id, livemode=caller.livemode)
    return own.filter(pk=key_id, revoked_at=None)


def audited(row: ApiKey) -> dict[str, Any]:
    """What the audit log keeps of a key: its rights, never its secret."""
    return {
        "name": row.name,
        "hint": row.hint,
        "livemode": row.livemode,
        "scopes": row.scopes,
        "ip_allow": row.ip_allow,
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        "revoked": row.revoked_at is not None,
        "limits": row.limits,
        "routing": row.routing,
    }


def _row_of(caller: Caller, *, using: str) -> ApiKey:
    return ApiKey.objects.using(using).get(pk=caller.key_id, tenant_id=caller.tenant_id)


def _limits_within(limits: Rates, by: Caller | None) -> dict[str, str]:
    return stored_rates({**limits, **(narrower_of(limits, by.limits) if by else {})})


def _check_scopes(scopes: frozenset[str], *, livemode: bool, tenant_id: UUID, by: Caller | None) -> None:
    unknown = scopes - keys.SCOPES
    if unknown:
        raise ValueError(f"unknown scopes: {', '.join(sorted(unknown))}. Known: {', '.join(sorted(keys.SCOPES))}.")
    if by and (by.tenant_id != tenant_id or by.livemode != livemode):
        raise WiderThanSelf("A key can only make keys of its own tenant and mode.")
    if by and not scopes <= by.scopes:
        missing = ", ".join(sorted(scopes - by.scopes))
        raise WiderThanSelf(f"This key cannot give scopes that it lacks: {missing}.")


def _publish(action: str, row: ApiKey, *, number: int, using: str) -> None:
    publish(
        f"api_key.{action}", tenant_id=row.tenant_id, livemode=row.livemode, subject_id=row.id, sequence=number,
        data=api_key(row), using=using,
    )  # fmt: skip


def _audit(action: str, row: ApiKey, *, actor: str, using: str, **states: Any) -> None:
    record_audit(
        f"api_key.{action}", actor=actor, subject=str(row.id), tenant_id=row.tenant_id, livemode=row.livemode,
        using=using, **states,
    )  # fmt: skip

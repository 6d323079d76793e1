"""The operator's side of wallets: their money, grants that expire, and the credit limit.

A wallet's balance is the sum of its entries less what jobs took; each change here writes both, once per operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least

from apikit.ids import new_id
from billing.errors import CurrencyFrozen, NoWallet
from billing.models import Wallet, WalletEntry, WalletGrant
from billing.rating import difference, total
from events.facade import record_audit

# `held` is the running jobs' and is never written here. A currency changes only while nothing is in the wallet.
_SET = """
INSERT INTO public.wallet AS w (tenant_id, currency, balance, held, credit_limit)
VALUES (%(tenant_id)s, %(currency)s, coalesce(%(balance)s, 0), 0, %(credit_limit)s)
ON CONFLICT (tenant_id) DO UPDATE
  SET currency = excluded.currency, balance = coalesce(%(balance)s, w.balance), credit_limit = excluded.credit_limit
  WHERE w.currency = excluded.currency OR (w.balance = 0 AND w.held = 0)"""


def set_wallet(
    tenant_id: UUID,
    *,
    currency: str,
    balance: Decimal | None,
    credit_limit: Decimal = Decimal(0),
    actor: str = "operator",
    using: str = "owner",
) -> None:
    """Make the tenant prepaid, or set its balance (None: it stays) and credit limit; raises `CurrencyFrozen`.

    Jobs that were accepted before there was a wallet stay postpaid. Money that is put in belongs in `grant`.
    """
    kept = {} if balance is None else {"balance": str(balance)}
    after = {"currency": currency, **kept, "credit_limit": str(credit_limit)}
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "currency": currency,
        "balance": balance,
        "credit_limit": credit_limit,
    }
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        before = Wallet.objects.using(using).select_for_update().filter(pk=tenant_id).first()
        cursor.execute(_SET, values)
        if cursor.rowcount == 0:
            raise CurrencyFrozen(before.currency if before else currency)
        moved = (balance or Decimal(0)) - (before.balance if before and balance is not None else Decimal(0))
        if moved:
            _write(tenant_id, "set", moved, currency, operation=f"set:{new_id()}", actor=actor, using=using)
        record_audit(
            "wallet.set", actor=actor, subject=str(tenant_id), tenant_id=tenant_id, using=using, after=after,
            before=_shown(before) if before else None,
        )  # fmt: skip


def set_low_at(tenant_id: UUID, *, amount: Decimal | None, actor: str, using: str = "system") -> None:
    """Tell the tenant (`wallet.low`) once less than `amount` is left; None: never. Raises `NoWallet`."""
    with transaction.atomic(using=using):
        before = _locked(tenant_id, using=using).low_at
        changes: dict[str, Any] = {"low_at": amount} | ({"low_told": False} if amount is None else {})
        Wallet.objects.using(using).filter(pk=tenant_id).update(**changes)
        record_audit(
            "wallet.low_at_set", actor=actor, subject=str(tenant_id), tenant_id=tenant_id, using=using,
            before={"low_at": None if before is None else str(before)},
            after={"low_at": None if amount is None else str(amount)},
        )  # fmt: skip


def grant(
    tenant_id: UUID,
    *,
    amount: Decimal,
    operation: str,
    actor: str,
    expires_at: datetime | None = None,
    note: str = "",
    using: str = "system",
) -> bool:
    """Put money into the tenant's wallet; what is left at `expires_at` is taken out again.

    `operation` names the payment or promise: a second call with it changes nothing and returns False. Raises
    `NoWallet`.
    """
    with transaction.atomic(using=using):
        wallet = _locked(tenant_id, using=using)
        if WalletEntry.objects.using(using).filter(tenant_id=tenant_id, operation=operation).exists():
            return False
        _attribute(wallet, using=using)  # what was spent before was not spent from this
        given = WalletGrant(
            tenant_id=tenant_id, amount=amount, remaining=amount, expires_at=expires_at, note=note, created_by=actor
        )
        given.save(using=using, force_insert=True)
        _write(
            tenant_id, "grant", amount, wallet.currency, operation=operation, actor=actor, using=using,
            grant_id=given.id,
        )  # fmt: skip
        _move(tenant_id, amount, using=using)
        record_audit(
            "wallet.granted", actor=actor, subject=str(given.id), tenant_id=tenant_id, using=using,
            after={"amount": str(amount), "expires_at": expires_at.isoformat() if expires_at else None},
        )  # fmt: skip
    return True


def expire_grants(*, using: str = "system") -> int:
    """Take out what is left of grants whose time is over; how many ended. Running jobs' holds stay covered."""
    due = WalletGrant.objects.using(using).extra(where=["expires_at <= now()"]).filter(remaining__gt=0)
    return sum(_expire(tenant_id, using=using) for tenant_id in sorted(set(due.values_list("tenant_id", flat=True))))


def true_up(tenant_id: UUID, *, amount: Decimal, currency: str, operation: str, using: str) -> bool:
    """Give the wallet back what jobs took beyond the statement (above 0), or take what they took too little.

    False, and nothing moved: there is no wallet in this currency, or it does not cover what is to be taken.
    """
    wallet = Wallet.objects.using(using).select_for_update().filter(pk=tenant_id, currency=currency).first()
    if wallet is None or (amount < 0 and wallet.balance + wallet.credit_limit - wallet.held + amount < 0):
        return False
    if amount:
        _attribute(wallet, more=max(Decimal(0), -amount), using=using)  # what is given back does not expire
        _write(tenant_id, "true_up", amount, currency, operation=operation, actor="statement", using=using)
        _move(tenant_id, amount, using=using)
    return True


def take_back(
    tenant_id: UUID,
    *,
    owed: Decimal,
    currency: str,
    granted_by: str,
    kind: str,
    operation: str,
    actor: str,
    using: str = "system",
) -> Decimal:
    """Have the wallet lack exactly `owed` on account of this operation, however often it is told; what moved.

    For money that has gone whether the wallet covers it or not: the balance may end below the credit limit, and then
    no job is accepted. A smaller `owed` than before gives the rest back. `granted_by` is the operation of the grant
    that the money was. Raises `NoWallet`, also where it is in another currency.
    """
    with transaction.atomic(using=using):
        wallet = _locked(tenant_id, using=using)
        if wallet.currency != currency:
            raise NoWallet(tenant_id)
        entries = WalletEntry.objects.using(using).filter(tenant_id=tenant_id)
        before = [one.amount for one in entries.filter(named(operation))]
        moved = difference(Decimal(0), total([owed, *before]))
        if not moved:
            return moved
        _attribute(wallet, using=using)
        grant_id = entries.filter(operation=granted_by).values_list("grant_id", flat=True).first()
        WalletGrant.objects.using(using).filter(pk__in=[grant_id] if grant_id else []).update(
            remaining=Greatest(Decimal(0), Least(F("amount"), F("remaining") + moved))
        )
        once = f"{operation}:{len(before)}" if before else operation
        _write(tenant_id, kind, moved, currency, operation=once, actor=actor, using=using, grant_id=grant_id)
        _move(tenant_id, moved, using=using)
        record_audit(
            "wallet.taken_back", actor=actor, subject=operation, tenant_id=tenant_id, using=using,
            after={"amount": str(moved), "currency": currency},
        )  # fmt: skip
    return moved


def named(operation: str) -> Q:
    """The entries that an operation made, first and later."""
    return Q(operation=operation) | Q(operation__startswith=f"{operation}:")


def _expire(tenant_id: UUID, *, using: str) -> int:
    with transaction.atomic(using=using):
        wallet = _locked(tenant_id, using=using)
        _attribute(wallet, using=using)
        room = max(Decimal(0), wallet.balance + wallet.credit_limit - wallet.held)
        due = WalletGrant.objects.using(using).extra(where=["expires_at <= now()"]).filter(tenant_id=tenant_id)
        ended = 0
        for given in due.filter(remaining__gt=0).order_by("expires_at", "id"):
            gone = min(given.remaining, room)
            if not gone:
                break  # what running jobs may cost is covered first; the rest ends when they have
            WalletGrant.objects.using(using).filter(pk=given.pk).update(remaining=F("remaining") - gone)
            _write(
                tenant_id, "expiry", -gone, wallet.currency, operation=f"expiry:{given.pk}:{given.remaining}",
                actor="expiry", using=using, grant_id=given.pk,
            )  # fmt: skip
            _move(tenant_id, -gone, using=using)
            room, ended = room - gone, ended + 1
    return ended


def _attribute(wallet: Wallet, *, using: str, more: Decimal = Decimal(0)) -> None:
    """Charge grants with what jobs took since the last time, and `more`: those that end first are used first."""
    left = wallet.spent - wallet.attributed + more
    grants = WalletGrant.objects.using(using).filter(tenant_id=wallet.tenant_id, remaining__gt=0)
    for given in grants.order_by(F("expires_at").asc(nulls_last=True), "id"):
        used = min(left, given.remaining)
        if used <= 0:
            break
        WalletGrant.objects.using(using).filter(pk=given.pk).update(remaining=F("remaining") - used)
        left -= used
    Wallet.objects.using(using).filter(pk=wallet.pk).update(attributed=wallet.spent)


def _locked(tenant_id: UUID, *, using: str) -> Wallet:
    wallet = Wallet.objects.using(using).select_for_update().filter(pk=tenant_id).first()
    if wallet is None:
        raise NoWallet(tenant_id)
    return wallet


def _move(tenant_id: UUID, amount: Decimal, *, using: str) -> None:
    Wallet.objects.using(using).filter(pk=tenant_id).update(balance=F("balance") + amount)


def _write(
    tenant_id: UUID, kind: str, amount: Decimal, currency: str, *, operation: str, actor: str, using: str,
    grant_id: UUID | None = None,
) -> None:  # fmt: skip
    WalletEntry(
        tenant_id=tenant_id, kind=kind, amount=amount, currency=currency, operation=operation, created_by=actor,
        grant_id=grant_id,
    ).save(using=using, force_insert=True)  # fmt: skip


def _shown(wallet: Wallet) -> Mapping[str, str]:
    return {
        "currency": wallet.currency,
        "balance": str(wallet.balance),
        "credit_limit": str(wallet.credit_limit),
    }

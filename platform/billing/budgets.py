"""Budgets, and telling tenants in time: thresholds of budgets and wallets that are nearly empty."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from apikit import ids
from billing.models import Budget, Wallet
from billing.rating import shown
from events.facade import publish, record_audit

USUAL_THRESHOLDS = (50, 80, 100)

# The highest threshold that was passed and not told yet: one statement over all tenants, each row told once.
_PASSED = """UPDATE public.budget AS b SET told = passed.percent, notices = notices + 1 FROM (
   SELECT id, (SELECT max(t) FROM unnest(thresholds) AS t WHERE spent * 100 >= amount * t) AS percent
     FROM public.budget WHERE spent > 0 ORDER BY id FOR UPDATE SKIP LOCKED) AS passed
 WHERE b.id = passed.id AND passed.percent > b.told
 RETURNING b.id, b.tenant_id, b.name, b.amount, b.spent, b.told, b.notices, b.api_key_id, (
   SELECT currency FROM public.tenant WHERE id = b.tenant_id)"""
_LOW = """UPDATE public.wallet SET low_told = balance - held < low_at, notices = notices + 1
 WHERE low_at IS NOT NULL AND low_told <> (balance - held < low_at)
 RETURNING tenant_id, balance, held, currency, low_told, notices"""


def set_budget(
    tenant_id: UUID,
    *,
    name: str,
    amount: Decimal,
    hard: bool = True,
    api_key_id: UUID | None = None,
    thresholds: Sequence[int] = USUAL_THRESHOLDS,
    actor: str = "operator",
    using: str = "system",
) -> None:
    """Let the tenant, or one of its keys, spend so much in a month. Work under way keeps what it holds."""
    values = {"amount": amount, "hard": hard, "thresholds": sorted(set(thresholds)), "created_by": actor}
    with transaction.atomic(using=using):
        Budget.objects.using(using).update_or_create(
            tenant_id=tenant_id, api_key_id=api_key_id, name=name, defaults=values
        )
        record_audit(
            "budget.set", actor=actor, subject=name, tenant_id=tenant_id, using=using,
            after={"amount": str(amount), "hard": hard, "key": str(api_key_id) if api_key_id else None},
        )  # fmt: skip


def drop_budget(
    tenant_id: UUID, *, name: str, api_key_id: UUID | None = None, actor: str = "operator", using: str = "system"
) -> bool:
    """Lift the budget; False when there was none of this name."""
    with transaction.atomic(using=using):
        known = Budget.objects.using(using).filter(tenant_id=tenant_id, api_key_id=api_key_id, name=name)
        gone, _ = known.delete()
        if gone:
            record_audit("budget.dropped", actor=actor, subject=name, tenant_id=tenant_id, using=using)
    return bool(gone)


def tell_thresholds(*, using: str = "system") -> int:
    """Publish what was passed since the last look; how many events. Two queries, whatever the number of tenants."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(_PASSED)
        budgets = cursor.fetchall()
        cursor.execute(_LOW)
        wallets = [row for row in cursor.fetchall() if row[4]]
        for row in budgets:
            _tell_budget(row, using=using)
        for row in wallets:
            _tell_wallet(row, using=using)
    return len(budgets) + len(wallets)


def limits_of(tenant_id: UUID, *, key_id: UUID) -> dict[str, Any]:
    """The wallet and the budgets that a key's jobs must fit into, in the tenant in force."""
    wallet = Wallet.objects.using(DEFAULT_DB_ALIAS).filter(pk=tenant_id).first()
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(_MINE, {"tenant_id": tenant_id, "key_id": key_id})
        budgets = [dict(zip(_BUDGET, row, strict=True)) for row in cursor.fetchall()]
    return {"wallet": wallet, "budgets": budgets}


_BUDGET = ("name", "api_key_id", "amount", "hard", "held", "spent")
_MINE = """SELECT name, api_key_id, amount, hard, held,
   CASE WHEN period = public.parlance_origin_month(%(tenant_id)s, now()) THEN spent ELSE 0 END
  FROM public.budget WHERE tenant_id = %(tenant_id)s AND (api_key_id IS NULL OR api_key_id = %(key_id)s)
 ORDER BY name"""


def _tell_budget(row: tuple[Any, ...], *, using: str) -> None:
    budget_id, tenant_id, name, amount, spent, percent, number, key_id, currency = row
    publish(
        "budget.exhausted" if percent >= 100 else "usage.threshold_reached", tenant_id=tenant_id, livemode=True,
        subject_id=budget_id, sequence=number, using=using,
        data={
            "object": "budget", "id": str(budget_id), "name": name, "amount": shown(amount), "spent": shown(spent),
            "currency": currency, "percent": percent, "livemode": True,
            "api_key_id": ids.show(ids.API_KEY, key_id) if key_id else None,
        },
    )  # fmt: skip


def _tell_wallet(row: tuple[Any, ...], *, using: str) -> None:
    tenant_id, balance, held, currency, _, number = row
    publish(
        "wallet.low", tenant_id=tenant_id, livemode=True, subject_id=tenant_id, sequence=number, using=using,
        data={
            "object": "wallet", "id": ids.show(ids.TENANT, tenant_id), "balance": shown(balance), "held": shown(held),
            "currency": currency, "livemode": True,
        },
    )  # fmt: skip

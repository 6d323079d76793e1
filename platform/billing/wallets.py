"""The operator's side of wallets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from billing.errors import CurrencyFrozen
from billing.models import Wallet
from events.facade import record_audit

# `held` is the running jobs' and is never written here. A currency changes only while nothing is in the wallet.
_SET = """
INSERT INTO public.wallet AS w (tenant_id, currency, balance, held, credit_limit)
VALUES (%(tenant_id)s, %(currency)s, %(balance)s, 0, %(credit_limit)s)
ON CONFLICT (tenant_id) DO UPDATE
  SET currency = excluded.currency, balance = excluded.balance, credit_limit = excluded.credit_limit
  WHERE w.currency = excluded.currency OR (w.balance = 0 AND w.held = 0)"""


def set_wallet(
    tenant_id: UUID,
    *,
    currency: str,
    balance: Decimal,
    credit_limit: Decimal = Decimal(0),
    actor: str = "operator",
    using: str = "owner",
) -> None:
    """Make the tenant prepaid, or set its balance and credit limit; raises `CurrencyFrozen`.

    Jobs that were accepted before there was a wallet stay postpaid.
    """
    after = {"currency": currency, "balance": str(balance), "credit_limit": str(credit_limit)}
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
        record_audit(
            "wallet.set", actor=actor, subject=str(tenant_id), tenant_id=tenant_id, using=using, after=after,
            before=_shown(before) if before else None,
        )  # fmt: skip


def _shown(wallet: Wallet) -> dict[str, str]:
    return {
        "currency": wallet.currency,
        "balance": str(wallet.balance),
        "credit_limit": str(wallet.credit_limit),
    }

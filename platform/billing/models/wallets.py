"""Prepaid money and budgets: what a tenant may still spend."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Wallet(models.Model):
    """A tenant's prepaid money; no row means postpaid. Spendable is balance + credit_limit - held."""

    tenant_id = models.UUIDField(primary_key=True)
    currency = models.CharField(max_length=3)
    balance = models.DecimalField(max_digits=38, decimal_places=9)
    held = models.DecimalField(max_digits=38, decimal_places=9, default=0)
    credit_limit = models.DecimalField(max_digits=38, decimal_places=9, default=0)

    class Meta:
        db_table = "wallet"
        constraints = [models.CheckConstraint(name="wallet_sane", condition=Q(held__gte=0, credit_limit__gte=0))]

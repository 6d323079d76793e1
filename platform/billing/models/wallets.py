"""Prepaid money and budgets: what a tenant may still spend."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apikit.ids import new_id


class Wallet(models.Model):
    """A tenant's prepaid money; no row means postpaid. Spendable is balance + credit_limit - held.

    `spent` is all that jobs ever took, `attributed` the part of it that grants were charged with already.
    """

    tenant_id = models.UUIDField(primary_key=True)
    currency = models.CharField(max_length=3)
    balance = models.DecimalField(max_digits=38, decimal_places=9)
    held = models.DecimalField(max_digits=38, decimal_places=9, default=0)
    credit_limit = models.DecimalField(max_digits=38, decimal_places=9, default=0)
    spent = models.DecimalField(max_digits=38, decimal_places=9, default=0, db_default=0)
    attributed = models.DecimalField(max_digits=38, decimal_places=9, default=0, db_default=0)
    low_at = models.DecimalField(max_digits=38, decimal_places=9, null=True, help_text="Tell when less is left.")
    low_told = models.BooleanField(default=False, db_default=False)
    notices = models.IntegerField(default=0, db_default=0)

    class Meta:
        db_table = "wallet"
        constraints = [models.CheckConstraint(name="wallet_sane", condition=Q(held__gte=0, credit_limit__gte=0))]


class WalletGrant(models.Model):
    """Money put into a wallet, paid or given; what is left of it at `expires_at` is taken out again."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    amount = models.DecimalField(max_digits=38, decimal_places=9)
    remaining = models.DecimalField(max_digits=38, decimal_places=9)
    expires_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=200)

    class Meta:
        db_table = "wallet_grant"
        indexes = [
            models.Index(fields=["tenant_id", "expires_at"], name="wallet_grant_order"),
            models.Index(fields=["expires_at"], name="wallet_grant_due", condition=Q(remaining__gt=0)),
        ]
        constraints = [
            models.CheckConstraint(
                name="wallet_grant_sane", condition=Q(amount__gt=0, remaining__gte=0, remaining__lte=F("amount"))
            )
        ]


class WalletEntry(models.Model):
    """What moved a balance besides jobs; rows are added and never changed. `operation` makes each once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    kind = models.CharField(max_length=8)  # opening, grant, expiry, set, true_up, refund
    amount = models.DecimalField(max_digits=38, decimal_places=9)
    currency = models.CharField(max_length=3)
    operation = models.CharField(max_length=120)
    grant_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=200)

    class Meta:
        db_table = "wallet_entry"
        constraints = [models.UniqueConstraint(fields=["tenant_id", "operation"], name="wallet_entry_once")]


class Budget(models.Model):
    """What a tenant, or one key, may spend in a month of its time zone. A hard one refuses, a soft one only tells.

    `spent` is of the month `period`; `held` is what running jobs may still cost. `told` is the last threshold told.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    api_key_id = models.UUIDField(null=True)
    name = models.CharField(max_length=64)
    amount = models.DecimalField(max_digits=38, decimal_places=9)
    hard = models.BooleanField(default=True)
    thresholds = ArrayField(models.IntegerField(), default=list, help_text="Percent, in order.")
    period = models.DateField(db_default=models.Value("2000-01-01"))
    spent = models.DecimalField(max_digits=38, decimal_places=9, default=0, db_default=0)
    held = models.DecimalField(max_digits=38, decimal_places=9, default=0, db_default=0)
    told = models.IntegerField(default=0, db_default=0)
    notices = models.IntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=200)

    class Meta:
        db_table = "budget"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "api_key_id", "name"], name="budget_once", nulls_distinct=False
            ),
            models.CheckConstraint(name="budget_sane", condition=Q(amount__gt=0, held__gte=0)),
        ]

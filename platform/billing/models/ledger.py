"""Holds, the ledger and its months: public tables of ids, counts and prices."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Hold(models.Model):
    """What a running live job may cost at most, at the price book version in force when it was accepted."""

    job_id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    amount = models.DecimalField(max_digits=38, decimal_places=9)
    currency = models.CharField(max_length=3)
    book_version = models.IntegerField()
    on_wallet = models.BooleanField(help_text="Whether the amount is part of the wallet's `held`.")
    budgets = ArrayField(models.UUIDField(), default=list, help_text="Whose `held` it is part of.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "hold"
        indexes = [models.Index(fields=["tenant_id"], name="hold_tenant")]
        constraints = [models.CheckConstraint(name="hold_sane", condition=Q(amount__gte=0))]


class UsageEntry(models.Model):
    """One line of the ledger: rows are added and never changed."""

    pk = models.CompositePrimaryKey("subject_created_at", "subject_id", "meter", "kind", "sequence")
    subject_created_at = models.DateTimeField()
    subject_id = models.UUIDField()
    meter = models.CharField(max_length=16)
    kind = models.CharField(max_length=8)
    sequence = models.IntegerField()
    tenant_id = models.UUIDField()
    livemode = models.BooleanField()
    api_key_id = models.UUIDField(null=True)
    engine = models.CharField(max_length=64)
    model = models.CharField(max_length=64)
    mode = models.CharField(max_length=8)
    raw_quantity = models.BigIntegerField()
    billable_quantity = models.BigIntegerField()
    unit_price = models.DecimalField(max_digits=38, decimal_places=9)
    unit_size = models.BigIntegerField()
    amount = models.DecimalField(max_digits=38, decimal_places=9)
    currency = models.CharField(max_length=3)
    book_version = models.IntegerField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    period = models.DateField()
    origin_period = models.DateField()
    feature = models.CharField(max_length=32)
    on_wallet = models.BooleanField(help_text="Whether the amount was taken from the wallet when it was written.")
    tags = ArrayField(models.BinaryField(), help_text="Keyed hashes; the names stand in the tenant's own schema.")

    class Meta:
        db_table = "usage_entry"
        managed = False  # partitioned by month: made by SQL in the first migration


class BillingPeriod(models.Model):
    """A month in UTC, named by its first day. No row means open; a closed one is frozen by a trigger."""

    class Status(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"

    period = models.DateField(primary_key=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    closed_at = models.DateTimeField(null=True)
    entries = models.BigIntegerField(null=True)
    content_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "billing_period"

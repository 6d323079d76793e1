"""Price books, wallets, holds, the ledger and its months: public tables of ids, counts and prices."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class PriceBook(models.Model):
    """Prices in one currency from one day on. An approved book is frozen by a trigger."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        APPROVED = "approved"

    version = models.IntegerField(unique=True)
    currency = models.CharField(max_length=3)
    effective_from = models.DateTimeField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "price_book"
        indexes = [models.Index(fields=["currency", "-effective_from"], name="price_book_in_force")]


class Price(models.Model):
    """`unit_price` per `unit_size` of a meter, for one engine, model ("" = every model) and mode."""

    book = models.ForeignKey(PriceBook, on_delete=models.PROTECT, related_name="prices")
    engine = models.CharField(max_length=64)
    model = models.CharField(max_length=64, blank=True, default="")
    mode = models.CharField(max_length=8)
    meter = models.CharField(max_length=16)
    unit_price = models.DecimalField(max_digits=38, decimal_places=9)
    unit_size = models.BigIntegerField()
    increment_ms = models.BigIntegerField(default=1)
    minimum_ms = models.BigIntegerField(default=0)
    per_channel = models.BooleanField(default=False)

    class Meta:
        db_table = "price"
        constraints = [
            models.UniqueConstraint(fields=["book", "engine", "model", "mode", "meter"], name="price_once"),
            models.CheckConstraint(
                name="price_sane",
                condition=Q(unit_price__gte=0, unit_size__gt=0, increment_ms__gt=0, minimum_ms__gte=0),
            ),
            models.CheckConstraint(
                name="price_of_characters",
                condition=~Q(meter="characters") | Q(increment_ms=1, minimum_ms=0, per_channel=False),
            ),
        ]


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


class Hold(models.Model):
    """What a running live job may cost at most, at the price book version in force when it was accepted."""

    job_id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    amount = models.DecimalField(max_digits=38, decimal_places=9)
    currency = models.CharField(max_length=3)
    book_version = models.IntegerField()
    on_wallet = models.BooleanField(help_text="Whether the amount is part of the wallet's `held`.")
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

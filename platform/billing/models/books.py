"""Price and cost books, and exchange rates: versions that a second person approves and that never change then."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

FOUR_EYES = Q(approved_by=None) | ~Q(approved_by=F("created_by"))


class PriceBook(models.Model):
    """Prices in one currency from one moment on. An approved book is frozen by a trigger.

    Without `plan` and `tenant_id` it is the currency's list; with a plan it prices the tenants whose contract names
    the plan; with a tenant it holds that tenant's own prices and stands on the list or plan book `base_version`.
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        APPROVED = "approved"

    class Kind(models.TextChoices):
        PRICE = "price"
        COST = "cost"

    version = models.IntegerField(unique=True)
    kind = models.CharField(max_length=5, choices=Kind.choices, default=Kind.PRICE)
    currency = models.CharField(max_length=3)
    plan = models.CharField(max_length=64, blank=True, default="")
    tenant_id = models.UUIDField(null=True)
    base_version = models.IntegerField(null=True)
    minimum_commit = models.DecimalField(max_digits=38, decimal_places=9, default=0)
    effective_from = models.DateTimeField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    note = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=200, default="installation")
    approved_by = models.CharField(max_length=200, null=True)  # noqa: DJ001  # null: nobody yet
    approved_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "price_book"
        indexes = [
            models.Index(fields=["currency", "-effective_from"], name="price_book_in_force"),
            models.Index(fields=["tenant_id"], name="price_book_tenant", condition=~Q(tenant_id=None)),
        ]
        constraints = [
            models.CheckConstraint(name="price_book_four_eyes", condition=FOUR_EYES),
            models.CheckConstraint(name="price_book_commit", condition=Q(minimum_commit__gte=0)),
        ]


class Price(models.Model):
    """`unit_price` per `unit_size` of a meter, for one engine, model ("" = every model), mode and feature.

    `included` is the month's free quantity; `tiers` price the quantity above it, by `tier_mode`.
    """

    book = models.ForeignKey(PriceBook, on_delete=models.PROTECT, related_name="prices")
    tenant_id = models.UUIDField(null=True)  # the book's, so that row-level security can see it
    engine = models.CharField(max_length=64)
    model = models.CharField(max_length=64, blank=True, default="")
    mode = models.CharField(max_length=8)
    feature = models.CharField(max_length=32, blank=True, default="")
    meter = models.CharField(max_length=16)
    unit_price = models.DecimalField(max_digits=38, decimal_places=9)
    unit_size = models.BigIntegerField()
    increment_ms = models.BigIntegerField(default=1)
    minimum_ms = models.BigIntegerField(default=0)
    per_channel = models.BooleanField(default=False)
    included = models.BigIntegerField(default=0)
    tier_mode = models.CharField(max_length=10, blank=True, default="")
    tiers = models.JSONField(default=list)

    class Meta:
        db_table = "price"
        constraints = [
            models.UniqueConstraint(fields=["book", "engine", "model", "mode", "feature", "meter"], name="price_once"),
            models.CheckConstraint(
                name="price_sane",
                condition=Q(unit_price__gte=0, unit_size__gt=0, increment_ms__gt=0, minimum_ms__gte=0),
            ),
            models.CheckConstraint(
                name="price_of_characters",
                condition=~Q(meter="characters") | Q(increment_ms=1, minimum_ms=0, per_channel=False),
            ),
            models.CheckConstraint(
                name="price_tiers",
                condition=Q(included__gte=0, tier_mode__in=["", "graduated", "volume", "package"]),
            ),
        ]


class FxTable(models.Model):
    """Exchange rates from one day on; an approved table is frozen by a trigger."""

    version = models.IntegerField(unique=True)
    effective_from = models.DateField()
    source = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=200)
    approved_by = models.CharField(max_length=200, null=True)  # noqa: DJ001  # null: nobody yet
    approved_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "fx_table"
        constraints = [models.CheckConstraint(name="fx_table_four_eyes", condition=FOUR_EYES)]


class FxRate(models.Model):
    """One unit of `currency` is `rate` units of `into`."""

    table = models.ForeignKey(FxTable, on_delete=models.PROTECT, related_name="rates")
    currency = models.CharField(max_length=3)
    into = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=38, decimal_places=12)

    class Meta:
        db_table = "fx_rate"
        constraints = [
            models.UniqueConstraint(fields=["table", "currency", "into"], name="fx_rate_once"),
            models.CheckConstraint(name="fx_rate_sane", condition=Q(rate__gt=0)),
        ]

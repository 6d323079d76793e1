"""Sums of the ledger per quarter of an hour, so that reading usage does not read the ledger.

A trigger on the ledger adds each statement's sums to `usage_delta`, in the same transaction; `fold` moves them into
`usage_quarter`. Both together equal the ledger at every moment. A quarter, because offsets of time zones are quarters.
"""

from __future__ import annotations

from django.db import models


class UsageSums(models.Model):
    """The key is everything before `quantity`. `tag` is empty for all entries, else those with this tag's hash."""

    tenant_id = models.UUIDField()
    quarter = models.DateTimeField()
    tag = models.BinaryField()
    kind = models.CharField(max_length=8)
    meter = models.CharField(max_length=16)
    engine = models.CharField(max_length=64)
    model = models.CharField(max_length=64)
    mode = models.CharField(max_length=8)
    feature = models.CharField(max_length=32)
    api_key_id = models.UUIDField(null=True)
    adjustment_id = models.UUIDField(null=True)
    currency = models.CharField(max_length=3)
    book_version = models.IntegerField()
    unit_price = models.DecimalField(max_digits=38, decimal_places=9)
    unit_size = models.BigIntegerField()
    period = models.DateField()
    origin_period = models.DateField()
    on_wallet = models.BooleanField()
    quantity = models.BigIntegerField()
    amount = models.DecimalField(max_digits=38, decimal_places=9)
    jobs = models.BigIntegerField()
    entries = models.BigIntegerField()

    class Meta:
        abstract = True


class UsageDelta(UsageSums):
    """Not folded yet."""

    class Meta:
        db_table = "usage_delta"
        indexes = [models.Index(fields=["tenant_id", "quarter"], name="usage_delta_tenant")]


class UsageQuarter(UsageSums):
    """Folded; `key` is a hash of the columns that are summed by."""

    key = models.UUIDField()

    class Meta:
        db_table = "usage_quarter"
        constraints = [models.UniqueConstraint(fields=["tenant_id", "quarter", "key"], name="usage_quarter_once")]

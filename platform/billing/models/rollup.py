"""Sums of the ledger per quarter of an hour, so that reading usage does not read the ledger.

A trigger on the ledger adds each statement's sums to `usage_delta`, in the same transaction; `fold` moves them into
`usage_quarter`, and those of days that are over into `usage_day`. The three together equal the ledger at every moment.
A quarter, because offsets of time zones are quarters.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class UsageSums(models.Model):
    """The key is a time and all before `quantity`. `tag` is empty for all entries, else those with this tag's hash."""

    tenant_id = models.UUIDField()
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

    quarter = models.DateTimeField()

    class Meta:
        db_table = "usage_delta"
        indexes = [models.Index(fields=["tenant_id", "quarter"], name="usage_delta_tenant")]


class UsageQuarter(UsageSums):
    """Folded; `key` is a hash of the columns that are summed by."""

    quarter = models.DateTimeField()
    key = models.UUIDField()

    class Meta:
        db_table = "usage_quarter"
        indexes = [models.Index(fields=["quarter"], name="usage_quarter_age")]
        constraints = [models.UniqueConstraint(fields=["tenant_id", "quarter", "key"], name="usage_quarter_once")]


class UsageDay(UsageSums):
    """Packed: a day in UTC. `slots` are its quarters with usage, from 0; each `…_to` the sums up to the end of a slot.

    So the usage between two quarters is one subtraction, and a row that is read once stands for up to 96.
    """

    day = models.DateField()
    key = models.UUIDField()
    slots = ArrayField(models.IntegerField())
    quantity_to = ArrayField(models.BigIntegerField())
    amount_to = ArrayField(models.DecimalField(max_digits=38, decimal_places=9))
    jobs_to = ArrayField(models.BigIntegerField())

    class Meta:
        db_table = "usage_day"
        constraints = [models.UniqueConstraint(fields=["tenant_id", "day", "key"], name="usage_day_once")]

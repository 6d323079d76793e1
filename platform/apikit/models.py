"""Idempotency rows: which request a key belongs to and which job it made. Never a body."""

from __future__ import annotations

from django.db import models


class IdempotencyRow(models.Model):
    """One `Idempotency-Key` of one tenant and mode on one route."""

    pk = models.CompositePrimaryKey("created_at", "tenant_id", "livemode", "route", "key")
    created_at = models.DateTimeField()
    tenant_id = models.UUIDField()
    livemode = models.BooleanField()
    route = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField()
    subject_id = models.UUIDField()

    class Meta:
        db_table = "idempotency_row"
        managed = False  # partitioned by day: made by SQL in the first migration

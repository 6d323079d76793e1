"""Runs of the ledger's proof: when, over what, and what differed."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Reconciliation(models.Model):
    """One comparison of jobs, ledger, statements and Stripe, of a night's own or because a person asked.

    It waits until a scheduler has begun it, and again when that one dies. `error` is the kind of what broke it off.
    """

    night = models.DateField(null=True, unique=True, help_text="The day (UTC) whose own run it is; null: asked for.")
    whole = models.BooleanField(help_text="Every closed month is hashed and rated anew, not only those that are due.")
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField(db_default=Now())
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    months = models.IntegerField(null=True, help_text="How many closed months were hashed and rated anew.")
    found = models.IntegerField(null=True, help_text="How many differences; the first of them are kept.")
    differences = models.JSONField(default=list, db_default=[])
    error = models.CharField(max_length=100, blank=True, default="", db_default="")

    class Meta:
        db_table = "reconciliation"
        indexes = [models.Index(fields=["id"], name="reconciliation_due", condition=models.Q(ended_at=None))]

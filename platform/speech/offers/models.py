"""What is known of engines' models beyond the code: public tables without content."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class ModelEdit(models.Model):
    """What the operator says about a model; it goes before what the code comes with."""

    engine = models.CharField(max_length=64)
    model = models.CharField(max_length=64)
    facts = models.JSONField(default=dict, help_text="Only what differs from the seeds.")
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "model_edit"
        constraints = [models.UniqueConstraint(fields=["engine", "model"], name="model_edit_once")]


class ModelUse(models.Model):
    """That a tenant's jobs have lately used a model; one row however many jobs."""

    tenant_id = models.UUIDField()
    engine = models.CharField(max_length=64)
    model = models.CharField(max_length=64)
    livemode = models.BooleanField()
    last_used_on = models.DateField()

    class Meta:
        db_table = "model_use"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "livemode", "engine", "model"], name="model_use_once")
        ]


class ModelNotice(models.Model):
    """That a tenant was told of a model's end, so many days before it."""

    tenant_id = models.UUIDField()
    engine = models.CharField(max_length=64)
    model = models.CharField(max_length=64)
    livemode = models.BooleanField()
    shutdown_date = models.DateField()
    days_before = models.PositiveSmallIntegerField()
    told_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "model_notice"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "livemode", "engine", "model", "shutdown_date", "days_before"],
                name="model_notice_once",
            )
        ]


class EngineQuality(models.Model):
    """The latest measurement of a model on the operator's own recordings (`parlance engines compare`)."""

    engine = models.CharField(max_length=64)
    model = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=35)
    clips = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    audio_ms = models.BigIntegerField()
    wer = models.DecimalField(max_digits=8, decimal_places=5, null=True)
    cer = models.DecimalField(max_digits=8, decimal_places=5, null=True)
    latency_ms_p50 = models.PositiveIntegerField(null=True)
    latency_ms_p95 = models.PositiveIntegerField(null=True)
    ms_per_audio_s = models.DecimalField(max_digits=12, decimal_places=3, null=True)
    cost = models.DecimalField(
        max_digits=20, decimal_places=9, null=True, help_text="What the provider asked for all clips."
    )
    cost_currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    measured_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "engine_quality"
        constraints = [models.UniqueConstraint(fields=["engine", "model", "language"], name="engine_quality_once")]

"""Where events go and what signs them: tables of the tenant's own schema."""

from __future__ import annotations

from django.db import models


class WebhookTarget(models.Model):
    """The content of one endpoint; secrets are sealed and bound to this row and column."""

    endpoint_id = models.UUIDField(primary_key=True)
    url = models.TextField()
    description = models.CharField(max_length=500, blank=True)
    metadata = models.JSONField(default=dict)
    secret = models.BinaryField()
    previous_secret = models.BinaryField(null=True)
    previous_expires_at = models.DateTimeField(null=True)
    # Pairs of keys for v1a signatures; the older one counts as long as the older secret.
    signing_key = models.BinaryField(null=True)
    previous_signing_key = models.BinaryField(null=True)
    headers = models.BinaryField(null=True, help_text="The tenant's own headers as JSON, sealed: they may be secrets.")
    # Set for a URL that jobs name: it signs with `WebhookJobSecret`, and its own `secret` is empty.
    job_livemode = models.BooleanField(null=True)
    url_digest = models.BinaryField(null=True)

    class Meta:
        db_table = "webhook_target"
        constraints = [models.UniqueConstraint(fields=["job_livemode", "url_digest"], name="webhook_target_job_url")]


class WebhookJobSecret(models.Model):
    """What signs the events that go to jobs' own URLs: one secret per mode, sealed."""

    livemode = models.BooleanField(primary_key=True)
    secret = models.BinaryField()
    previous_secret = models.BinaryField(null=True)
    previous_expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "webhook_job_secret"

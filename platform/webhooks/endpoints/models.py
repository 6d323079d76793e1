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

    class Meta:
        db_table = "webhook_target"

"""Endpoints, deliveries and attempts: public tables without content.

URLs and secrets live in the tenant's own schema (`webhooks.endpoints`). A bounded excerpt of a receiver's answer
is kept sealed under the tenant's data key, so that it expires with its partition and is shredded with the tenant.
Reads and writes of the hot path are SQL in `fanout.py`, `claims.py` and `results.py`; these classes are the schema.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from apikit.ids import new_id


class WebhookEndpoint(models.Model):
    """One receiver's settings and health. A deleted one stays as a content-free row: its deliveries name it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    livemode = models.BooleanField()
    event_types = ArrayField(models.CharField(max_length=64))
    enabled = models.BooleanField(db_default=True)
    disabled_reason = models.CharField(max_length=32, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    deleted_at = models.DateTimeField(null=True)
    revision = models.IntegerField(db_default=0, help_text="Of URL and secrets: one more with every change.")
    event_sequence = models.IntegerField(db_default=0, help_text="Of events about the endpoint itself.")
    # When a sender has something to do here: never later than the first open delivery it may send.
    next_due_at = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True, help_text="The receiver asked for peace (Retry-After).")
    max_in_flight = models.SmallIntegerField(db_default=4)
    slow = models.BooleanField(db_default=False, help_text="Answers slowly: sends from the slow lane.")
    consecutive_failures = models.IntegerField(db_default=0)
    failing_since = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "webhook_endpoint"
        indexes = [
            models.Index(fields=["tenant_id", "livemode", "-id"], name="webhook_endpoint_list"),
            models.Index(
                fields=["next_due_at"],
                name="webhook_endpoint_due",
                condition=models.Q(next_due_at__isnull=False),
            ),
        ]


class Delivery(models.Model):
    """One event for one endpoint. `created_at` is the event's, so that the pair is unique over partitions."""

    pk = models.CompositePrimaryKey("created_at", "id")
    created_at = models.DateTimeField()
    id = models.UUIDField()
    tenant_id = models.UUIDField()
    livemode = models.BooleanField()
    event_id = models.UUIDField()
    event_type = models.CharField(max_length=64)
    endpoint_id = models.UUIDField()
    state = models.CharField(max_length=10)
    attempt = models.IntegerField()
    attempts_left = models.SmallIntegerField()
    lost = models.SmallIntegerField()
    manual = models.BooleanField()
    # The schedule. While leased it is the lease's end: then the next attempt is due if nobody told the result.
    next_attempt_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    last_status = models.SmallIntegerField(null=True)
    last_error = models.CharField(max_length=32, null=True)  # noqa: DJ001  # none differs from ""
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "delivery"
        managed = False  # partitioned by day: made by SQL in the first migration


class DeliveryAttempt(models.Model):
    """One POST, noted before it was made. In the partition of its delivery."""

    pk = models.CompositePrimaryKey("created_at", "delivery_id", "number")
    created_at = models.DateTimeField()
    delivery_id = models.UUIDField()
    number = models.IntegerField()
    tenant_id = models.UUIDField()
    manual = models.BooleanField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    status = models.SmallIntegerField(null=True)
    error = models.CharField(max_length=32, null=True)  # noqa: DJ001
    latency_ms = models.IntegerField(null=True)
    response = models.BinaryField(null=True)

    class Meta:
        db_table = "delivery_attempt"
        managed = False  # partitioned by day, like `delivery`

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

    class Kind(models.TextChoices):
        ENDPOINT = "endpoint"
        JOB = "job"  # a URL that jobs name themselves; it gets those jobs' events only

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    livemode = models.BooleanField()
    kind = models.CharField(max_length=8, choices=Kind.choices, db_default="endpoint")
    event_types = ArrayField(models.CharField(max_length=64))
    include_text = models.BooleanField(db_default=False, help_text="Bodies carry the text, see `EventText`.")
    # Public by nature, and served to whoever knows the endpoint's id; empty without v1a signatures.
    public_key = models.CharField(max_length=64, db_default="")
    previous_public_key = models.CharField(max_length=64, db_default="")
    previous_key_expires_at = models.DateTimeField(null=True)
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
    schedule = ArrayField(models.IntegerField(), null=True)  # seconds before each attempt; null: the specification's
    rate_per_s = models.FloatField(null=True, help_text="Deliveries per second; null: as many as there are.")
    rate_until = models.DateTimeField(null=True, help_text="When the deliveries sent so far are paid for by the rate.")
    slow = models.BooleanField(db_default=False, help_text="Answers slowly: sends from the slow lane.")
    consecutive_failures = models.IntegerField(db_default=0)
    failing_since = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    warned = models.SmallIntegerField(db_default=0, help_text="Rungs of the alert ladder that were told of.")
    probing = models.BooleanField(db_default=False, help_text="Half-open: one delivery at a time until one succeeds.")
    half_open_at = models.DateTimeField(null=True, help_text="When a disabled endpoint is tried again by itself.")
    reopened = models.SmallIntegerField(db_default=0, help_text="Times it was tried again; the pauses grow with them.")
    last_named_at = models.DateTimeField(null=True, help_text="When a job last named this URL, to the day.")
    successes = models.BigIntegerField(db_default=0, help_text="Numbers the kept answers, see `KeptAnswer`.")

    class Meta:
        db_table = "webhook_endpoint"
        indexes = [
            models.Index(fields=["tenant_id", "livemode", "-id"], name="webhook_endpoint_list"),
            # What fan-out matches every event against: without the many URLs of single jobs.
            models.Index(
                fields=["tenant_id", "livemode"],
                name="webhook_endpoint_fanout",
                condition=models.Q(kind="endpoint", enabled=True),
            ),
            models.Index(
                fields=["next_due_at"],
                name="webhook_endpoint_due",
                condition=models.Q(next_due_at__isnull=False),
            ),
        ]


class JobWebhook(models.Model):
    """Which hidden endpoint gets a job's events: ids only, kept for as long as events are."""

    subject_id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    endpoint_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "job_webhook"
        indexes = [models.Index(fields=["created_at"], name="job_webhook_age")]


class EventText(models.Model):
    """An event's body with its text, sealed. In the partition of its event, so that both expire together.

    Without `body` it is a tombstone, and `forgotten` says why.
    """

    pk = models.CompositePrimaryKey("created_at", "event_id")
    created_at = models.DateTimeField()
    event_id = models.UUIDField()
    tenant_id = models.UUIDField()
    subject_id = models.UUIDField()
    body = models.BinaryField(null=True)
    until_delivered = models.BooleanField()
    forgotten = models.CharField(max_length=16, null=True)  # noqa: DJ001  # none differs from ""

    class Meta:
        db_table = "event_text"
        managed = False  # partitioned by day: made by SQL in a migration


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


class KeptAnswer(models.Model):
    """A ring of the last successes' answers of one endpoint, sealed. A new one takes the oldest one's place."""

    pk = models.CompositePrimaryKey("endpoint_id", "slot")
    endpoint_id = models.UUIDField()
    slot = models.SmallIntegerField()
    tenant_id = models.UUIDField()
    delivery_id = models.UUIDField()
    number = models.IntegerField()
    kept_at = models.DateTimeField(db_default=Now())
    response = models.BinaryField()

    class Meta:
        db_table = "kept_answer"


class Replay(models.Model):
    """Stored events on their way to one endpoint again. `cursor` is the position up to which all is done."""

    class State(models.TextChoices):
        RUNNING = "running"
        COMPLETED = "completed"
        CANCELED = "canceled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    livemode = models.BooleanField()
    endpoint_id = models.UUIDField()
    only_missed = models.BooleanField(help_text="Leaves out what was delivered.")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    event_types = ArrayField(models.CharField(max_length=64), help_text="Whole names: no wildcards are left.")
    state = models.CharField(max_length=10, choices=State.choices, db_default="running")
    last_position = models.BigIntegerField(help_text="Events that came later are left to the normal way.")
    cursor = models.BigIntegerField(db_default=0)
    expected = models.IntegerField(help_text="Deliveries counted when it was asked for.")
    opened = models.IntegerField(db_default=0)
    due_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "webhook_replay"
        indexes = [
            models.Index(fields=["endpoint_id", "-id"], name="webhook_replay_list"),
            models.Index(fields=["due_at"], name="webhook_replay_due", condition=models.Q(state="running")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint_id"], condition=models.Q(state="running"), name="webhook_replay_one_at_a_time"
            )
        ]


class AlertAddress(models.Model):
    """Who is told by e-mail when an endpoint fails; the address is sealed under the tenant's data key."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    address = models.BinaryField()
    language = models.CharField(max_length=8)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "alert_address"
        indexes = [models.Index(fields=["tenant_id"], name="alert_address_list")]


class Mail(models.Model):
    """One e-mail to send: a template's name and content-free values; the recipient is sealed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    template = models.CharField(max_length=64)
    language = models.CharField(max_length=8)
    recipient = models.BinaryField()
    details = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    # The schedule, and while it is being sent the lease's end; null when it is over.
    due_at = models.DateTimeField(null=True, db_default=Now())
    attempt = models.SmallIntegerField(db_default=0)
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=64, db_default="")

    class Meta:
        db_table = "mail_outbox"
        indexes = [
            models.Index(fields=["due_at"], name="mail_outbox_due", condition=models.Q(due_at__isnull=False)),
        ]

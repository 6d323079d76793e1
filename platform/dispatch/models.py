"""The queue itself: jobs, lanes, work items. Public tables with plain ids and no content.

Reads and writes of the hot path are SQL in `queue.py`, `claims.py` and `finish.py`; these classes are the schema.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apikit.ids import new_id


class Job(models.Model):
    """The content-free register of every job; it outlives the deletion of the job's content."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    livemode = models.BooleanField()
    kind = models.CharField(max_length=20)
    state = models.CharField(max_length=12, default="queued")
    service_class = models.CharField(max_length=12)
    api_key_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField()
    cancel_requested_at = models.DateTimeField(null=True)
    measured_ms = models.BigIntegerField(null=True)
    measured_characters = models.BigIntegerField(null=True)
    engine = models.CharField(max_length=64, null=True)  # noqa: DJ001  # not chosen yet differs from ""
    price_version = models.IntegerField(null=True)
    segments_total = models.IntegerField(db_default=0)
    segments_left = models.IntegerField(db_default=0)
    done_ms = models.BigIntegerField(db_default=0)
    readable_ms = models.BigIntegerField(db_default=0, help_text="How much of a running job's audio was read as text.")
    event_sequence = models.IntegerField(db_default=0)
    error_code = models.CharField(max_length=64, null=True)  # noqa: DJ001
    traceparent = models.CharField(max_length=64, db_default="")

    class Meta:
        db_table = "job"
        indexes = [
            # Lists, without what was deleted: a page of the few that are left must not walk over it.
            models.Index(
                fields=["tenant_id", "livemode", "kind", "state", "id"],
                name="job_by_state",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["tenant_id", "livemode", "kind", "engine", "state", "id"],
                name="job_by_engine",
                condition=Q(deleted_at__isnull=True, engine__isnull=False),
            ),
            models.Index(fields=["deadline_at"], name="job_deadline", condition=Q(state__in=["queued", "running"])),
        ]


class Lane(models.Model):
    """One tenant's place in one queue, ordered by virtual time (start-time fair queueing, arXiv 2401.00588)."""

    tenant_id = models.UUIDField()
    livemode = models.BooleanField()
    queue = models.CharField(max_length=120)
    active = models.BooleanField(db_default=False)
    virtual_time = models.BigIntegerField(db_default=0)
    turn = models.BigIntegerField(db_default=0)
    weight = models.IntegerField(db_default=100)
    max_running = models.IntegerField(null=True)

    class Meta:
        db_table = "lane"
        constraints = [models.UniqueConstraint(fields=["queue", "tenant_id", "livemode"], name="lane_once")]
        indexes = [models.Index(fields=["queue", "virtual_time"], name="lane_order", condition=Q(active=True))]


class QueueClock(models.Model):
    """V, the virtual time of each queue's last claim. Append-only: one hot row would grow a chain of dead
    versions under any long snapshot, while the newest entry of an index is always one step away."""

    pk = models.CompositePrimaryKey("queue", "virtual_time")
    queue = models.CharField(max_length=120)
    virtual_time = models.BigIntegerField()

    class Meta:
        db_table = "queue_clock"


class WorkItem(models.Model):
    """One step of one job, to be run by one executor. Finished items are deleted."""

    id = models.BigAutoField(primary_key=True)
    job_id = models.UUIDField()
    tenant_id = models.UUIDField()
    lane_id = models.BigIntegerField()
    step = models.CharField(max_length=16)
    ordinal = models.IntegerField(db_default=0)
    start_ms = models.BigIntegerField(db_default=0)
    end_ms = models.BigIntegerField(db_default=0)
    state = models.CharField(max_length=8, db_default="queued")
    turn = models.BigIntegerField(db_default=0)
    cost_ms = models.BigIntegerField()
    attempt = models.SmallIntegerField(db_default=0)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    external_id = models.CharField(max_length=200, null=True)  # noqa: DJ001
    error_code = models.CharField(max_length=64, null=True)  # noqa: DJ001
    choice = models.SmallIntegerField(db_default=0, help_text="Which engine of the job's route: 0 is the first.")
    call = models.IntegerField(null=True, help_text="The number of the engine attempt that is under way.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "work_item"
        constraints = [models.UniqueConstraint(fields=["job_id", "step", "ordinal"], name="work_item_once")]
        indexes = [
            models.Index(fields=["lane_id", "turn", "id"], name="work_item_next", condition=Q(state="queued")),
            models.Index(fields=["lane_id", "lease_until"], name="work_item_running", condition=Q(state="leased")),
            # A condition of its own: two indexes that fit the count of running items would confuse the planner.
            models.Index(
                fields=["lease_until"],
                name="work_item_expiring",
                condition=Q(state="leased", lease_token__isnull=False),
            ),
            models.Index(fields=["not_before"], name="work_item_waiting", condition=Q(state="waiting")),
        ]


class EngineAttempt(models.Model):
    """One call of an engine for one step: written before it is made, so that nobody pays twice without knowing."""

    pk = models.CompositePrimaryKey("job_id", "number")
    job_id = models.UUIDField()
    number = models.IntegerField()
    tenant_id = models.UUIDField()
    ordinal = models.IntegerField()
    start_ms = models.BigIntegerField()
    end_ms = models.BigIntegerField()
    engine = models.CharField(max_length=64)
    model = models.CharField(max_length=64, db_default="")
    external_id = models.CharField(max_length=200, db_default="", help_text="The provider's, once it has told.")
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=64, db_default="", help_text="`done`, `interrupted`, or an error's code.")

    class Meta:
        db_table = "engine_attempt"


class DeadLetter(models.Model):
    """An item that failed for good; an operator may replay it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job_id = models.UUIDField()
    tenant_id = models.UUIDField()
    queue = models.CharField(max_length=120)
    step = models.CharField(max_length=16)
    ordinal = models.IntegerField()
    start_ms = models.BigIntegerField()
    end_ms = models.BigIntegerField()
    attempts = models.SmallIntegerField()
    error_code = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())
    replayed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "dead_letter"
        indexes = [models.Index(fields=["job_id"], name="dead_letter_job")]


class DueDate(models.Model):
    """Something of a tenant that falls due: an upload that expires, content to delete."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.UUIDField()
    kind = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    due_at = models.DateTimeField()

    class Meta:
        db_table = "due_date"
        constraints = [models.UniqueConstraint(fields=["kind", "subject_id"], name="due_date_once")]
        indexes = [models.Index(fields=["due_at"], name="due_date_order")]


class ExecutorHost(models.Model):
    """A worker process that serves an executor, with its number of slots; gone when `alive_until` passes."""

    pk = models.CompositePrimaryKey("executor", "host_id")
    executor = models.CharField(max_length=100)
    host_id = models.UUIDField()
    slots = models.IntegerField()
    alive_until = models.DateTimeField()

    class Meta:
        db_table = "executor_host"


class Quarantine(models.Model):
    """The one row of a system that was restored from a backup and has not been resumed yet."""

    since = models.DateTimeField(primary_key=True)
    taken_at = models.DateTimeField()

    class Meta:
        db_table = "quarantine"

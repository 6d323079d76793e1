"""The outbox of events and the audit log: public tables, written in the transaction of the change itself."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from apikit.ids import new_id


class OutboxEvent(models.Model):
    """One event as its bytes will be sent. `position` is given after commit, by one dispatcher."""

    pk = models.CompositePrimaryKey("created_at", "id")
    created_at = models.DateTimeField()
    id = models.UUIDField()
    tenant_id = models.UUIDField()
    livemode = models.BooleanField()
    type = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    sequence = models.IntegerField()
    body = models.BinaryField()
    position = models.BigIntegerField(null=True)

    class Meta:
        db_table = "outbox_event"
        managed = False  # partitioned by day: made by SQL in the first migration


class AuditEntry(models.Model):
    """Who changed what, from where, before and after; never content or secrets."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField(null=True)
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=64)
    subject = models.CharField(max_length=64)
    address = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=200, blank=True, default="", db_default="")
    request_id = models.CharField(max_length=128, blank=True, default="", db_default="")
    livemode = models.BooleanField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "audit_entry"
        indexes = [models.Index(fields=["tenant_id", "-id"], name="audit_entry_list")]

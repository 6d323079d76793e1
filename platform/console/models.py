"""People: those of the company that runs Parlance, who look at the money, and with a tenant those of its customers."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from apikit.ids import new_id


class Staff(models.Model):
    """One person. `totp_step` is the last time step whose code was used: a code works once.

    Whoever works for two tenants is two persons: whoever hands out a link to one of them has nothing of the other.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField(null=True)
    email = models.CharField(max_length=200)
    roles = ArrayField(models.CharField(max_length=16))
    language = models.CharField(max_length=2, blank=True, default="")
    password = models.CharField(max_length=256, blank=True, default="")
    totp_sealed = models.BinaryField(null=True)
    totp_step = models.BigIntegerField(default=0)
    failures = models.IntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "staff"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "email"], nulls_distinct=False, name="staff_of_tenant"),
        ]

    @property
    def joined(self) -> bool:
        """Whether the link was used: password and authenticator are this person's."""
        return bool(self.password and self.totp_sealed)


class StaffLink(models.Model):
    """A link that lets one person choose a password and enrol an authenticator, once. Only its digest is kept."""

    digest = models.BinaryField(primary_key=True)
    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="+")
    tenant_id = models.UUIDField(null=True)
    totp_sealed = models.BinaryField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "staff_link"


class StaffSession(models.Model):
    """A browser that is logged in. Only the digest of its cookie is kept."""

    digest = models.BinaryField(primary_key=True)
    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="+")
    tenant_id = models.UUIDField(null=True)
    seen_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "staff_session"

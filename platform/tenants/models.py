"""Tenants, their keys and their data keys: public tables without content."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django_tenants.models import TenantMixin

from apikit.ids import new_id
from tenants.context import TenantRef


class Tenant(TenantMixin):  # type: ignore[misc]  # the library has no types
    """A customer of the company that runs Parlance."""

    auto_create_schema = False

    class Status(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"
        CLOSED = "closed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schema_name = models.CharField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    weight = models.PositiveIntegerField(default=100, help_text="Share of the queue; 100 is normal.")
    currency = models.CharField(max_length=3, default="USD")
    time_zone = models.CharField(max_length=64, default="UTC")
    schema_fingerprint = models.CharField(max_length=64, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    erase_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)
    policies = models.JSONField(
        default=dict, db_default=models.Value({}, models.JSONField()), help_text="Only what differs from the default."
    )

    class Meta:
        db_table = "tenant"

    @property
    def ref(self) -> TenantRef:
        """What the database backend follows."""
        return TenantRef(id=self.id, schema_name=self.schema_name)


class ApiKey(models.Model):
    """One key: only its keyed digest is stored, so a stolen table opens nothing."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    livemode = models.BooleanField()
    name = models.CharField(max_length=200, blank=True)
    digest = models.BinaryField(unique=True)
    pepper_version = models.PositiveSmallIntegerField()
    hint = models.CharField(max_length=32, help_text="Prefix and last four characters, for people.")
    scopes = ArrayField(models.CharField(max_length=64))
    ip_allow = ArrayField(models.CharField(max_length=64), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, blank=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    replaced_by = models.UUIDField(null=True)
    last_used_at = models.DateTimeField(null=True)
    expiring_told = models.BooleanField(default=False, db_default=False)
    limits = models.JSONField(
        default=dict, db_default=models.Value({}, models.JSONField()), help_text="Rates of the key's own."
    )
    routing = models.JSONField(
        default=dict, db_default=models.Value({}, models.JSONField()), help_text="Which engines it may use."
    )

    class Meta:
        db_table = "api_key"


class OperatorKey(models.Model):
    """A key of whoever runs Parlance: for `/v1/admin/` only, and of no tenant."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    digest = models.BinaryField(unique=True)
    pepper_version = models.PositiveSmallIntegerField()
    hint = models.CharField(max_length=32, help_text="Prefix and last four characters, for people.")
    ip_allow = ArrayField(models.CharField(max_length=64), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "operator_key"


class DataKey(models.Model):
    """A tenant's data encryption key, wrapped by a master key. Deleting the row shreds the tenant's secrets."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveIntegerField()
    master_version = models.CharField(max_length=200)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "data_key"
        constraints = [models.UniqueConstraint(fields=["tenant", "version"], name="data_key_version")]


class UploadOrigins(models.Model):
    """From which web pages the tenant's uploads may be sent."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="+")
    origins = ArrayField(models.CharField(max_length=253))

    class Meta:
        db_table = "upload_origins"


class SchemaPlan(models.Model):
    """The cached DDL of a tenant schema, so that a new tenant costs one batch instead of a migration run."""

    fingerprint = models.CharField(primary_key=True, max_length=64)
    ddl = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "schema_plan"

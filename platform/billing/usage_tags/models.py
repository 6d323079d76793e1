"""The names of tags, in the tenant's own schema: the ledger holds only their keyed hashes."""

from __future__ import annotations

from django.db import models


class UsageTag(models.Model):
    """Erasing the row makes the hash in the ledger a number that nobody can read; no sum changes."""

    digest = models.BinaryField(primary_key=True)
    tag = models.CharField(max_length=64)

    class Meta:
        db_table = "usage_tag"
        indexes = [models.Index(fields=["tag"], name="usage_tag_name")]

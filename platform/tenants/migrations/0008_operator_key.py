import django.contrib.postgres.fields
from django.db import migrations, models

import apikit.ids


class Migration(migrations.Migration):
    dependencies = [("tenants", "0007_tenant_end")]

    operations = [
        migrations.CreateModel(
            name="OperatorKey",
            fields=[
                ("id", models.UUIDField(default=apikit.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("digest", models.BinaryField(unique=True)),
                ("pepper_version", models.PositiveSmallIntegerField()),
                ("hint", models.CharField(help_text="Prefix and last four characters, for people.", max_length=32)),
                (
                    "ip_allow",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), default=list, size=None
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "operator_key"},
        ),
    ]

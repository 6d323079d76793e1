import django.contrib.postgres.fields
from django.db import migrations, models

# Thousands of rows are read at once: their arrays must be neither compressed nor kept elsewhere. At most 96 numbers
# each, a full row fits its page.
BESIDE = "ALTER TABLE usage_day SET (toast_tuple_target = 8160)"


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0005_asked_of_stripe"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsageDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tenant_id", models.UUIDField()),
                ("tag", models.BinaryField()),
                ("kind", models.CharField(max_length=8)),
                ("meter", models.CharField(max_length=16)),
                ("engine", models.CharField(max_length=64)),
                ("model", models.CharField(max_length=64)),
                ("mode", models.CharField(max_length=8)),
                ("feature", models.CharField(max_length=32)),
                ("api_key_id", models.UUIDField(null=True)),
                ("adjustment_id", models.UUIDField(null=True)),
                ("currency", models.CharField(max_length=3)),
                ("book_version", models.IntegerField()),
                ("unit_price", models.DecimalField(decimal_places=9, max_digits=38)),
                ("unit_size", models.BigIntegerField()),
                ("period", models.DateField()),
                ("origin_period", models.DateField()),
                ("on_wallet", models.BooleanField()),
                ("quantity", models.BigIntegerField()),
                ("amount", models.DecimalField(decimal_places=9, max_digits=38)),
                ("jobs", models.BigIntegerField()),
                ("entries", models.BigIntegerField()),
                ("day", models.DateField()),
                ("key", models.UUIDField()),
                ("slots", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                (
                    "quantity_to",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "amount_to",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DecimalField(decimal_places=9, max_digits=38), size=None
                    ),
                ),
                ("jobs_to", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
            ],
            options={
                "db_table": "usage_day",
            },
        ),
        migrations.AddIndex(
            model_name="usagequarter",
            index=models.Index(fields=["quarter"], name="usage_quarter_age"),
        ),
        migrations.AddConstraint(
            model_name="usageday",
            constraint=models.UniqueConstraint(fields=("tenant_id", "day", "key"), name="usage_day_once"),
        ),
        migrations.RunSQL(BESIDE, migrations.RunSQL.noop),
    ]

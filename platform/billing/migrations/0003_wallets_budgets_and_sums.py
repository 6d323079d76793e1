import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models

import apikit.ids

# One insert of the statement's sums, whatever its number of rows; the transaction is the entries' own.
SUMS = """
CREATE FUNCTION public.parlance_sum_usage() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  INSERT INTO usage_delta (tenant_id, quarter, tag, kind, meter, engine, model, mode, feature, api_key_id,
    adjustment_id, currency, book_version, unit_price, unit_size, period, origin_period, on_wallet, quantity, amount,
    jobs, entries)
  SELECT tenant_id, date_bin('15 minutes', occurred_at, 'epoch'), tag, kind, meter, engine, model, mode, feature,
    api_key_id, CASE WHEN meter = 'money' THEN subject_id END, currency, book_version, unit_price, unit_size, period,
    origin_period, on_wallet, sum(billable_quantity), sum(amount),
    count(DISTINCT subject_id) FILTER (WHERE kind = 'usage' AND (mode <> 'stream' OR sequence = 0)), count(*)
    FROM added, unnest(tags || ''::bytea) AS tag WHERE livemode
   GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18;
  RETURN NULL;
END $$;
INSERT INTO usage_delta (tenant_id, quarter, tag, kind, meter, engine, model, mode, feature, api_key_id,
    adjustment_id, currency, book_version, unit_price, unit_size, period, origin_period, on_wallet, quantity, amount,
    jobs, entries)
  SELECT tenant_id, date_bin('15 minutes', occurred_at, 'epoch'), ''::bytea, kind, meter, engine, model, mode, feature,
    api_key_id, NULL::uuid, currency, book_version, unit_price, unit_size, period, origin_period, on_wallet,
    sum(billable_quantity), sum(amount), count(DISTINCT subject_id) FILTER (WHERE kind = 'usage'), count(*)
    FROM usage_entry WHERE livemode GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18;
CREATE TRIGGER usage_entry_sums AFTER INSERT ON usage_entry REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION parlance_sum_usage();
"""

GUARDS = """
CREATE TRIGGER wallet_entry_kept BEFORE UPDATE OR DELETE ON wallet_entry
  FOR EACH ROW EXECUTE FUNCTION parlance_refuse_change();
-- What a wallet held before there were entries: balance = entries - what jobs took.
INSERT INTO wallet_entry (id, tenant_id, kind, amount, currency, operation, created_by)
  SELECT gen_random_uuid(), tenant_id, 'opening', balance, currency, 'opening', 'migration' FROM wallet;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0002_books_and_statements"),
    ]

    operations = [
        migrations.AddField(
            model_name="hold",
            name="budgets",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), default=list, help_text="Whose `held` it is part of.", size=None
            ),
        ),
        migrations.AddField(
            model_name="wallet",
            name="attributed",
            field=models.DecimalField(db_default=0, decimal_places=9, default=0, max_digits=38),
        ),
        migrations.AddField(
            model_name="wallet",
            name="low_at",
            field=models.DecimalField(decimal_places=9, help_text="Tell when less is left.", max_digits=38, null=True),
        ),
        migrations.AddField(
            model_name="wallet",
            name="low_told",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="wallet",
            name="notices",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="wallet",
            name="spent",
            field=models.DecimalField(db_default=0, decimal_places=9, default=0, max_digits=38),
        ),
        migrations.CreateModel(
            name="Budget",
            fields=[
                ("id", models.UUIDField(default=apikit.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("api_key_id", models.UUIDField(null=True)),
                ("name", models.CharField(max_length=64)),
                ("amount", models.DecimalField(decimal_places=9, max_digits=38)),
                ("hard", models.BooleanField(default=True)),
                (
                    "thresholds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, help_text="Percent, in order.", size=None
                    ),
                ),
                ("period", models.DateField(db_default=models.Value("2000-01-01"))),
                ("spent", models.DecimalField(db_default=0, decimal_places=9, default=0, max_digits=38)),
                ("held", models.DecimalField(db_default=0, decimal_places=9, default=0, max_digits=38)),
                ("told", models.IntegerField(db_default=0, default=0)),
                ("notices", models.IntegerField(db_default=0, default=0)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_by", models.CharField(max_length=200)),
            ],
            options={
                "db_table": "budget",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "api_key_id", "name"), name="budget_once", nulls_distinct=False
                    ),
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0), ("held__gte", 0)), name="budget_sane"),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageDelta",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tenant_id", models.UUIDField()),
                ("quarter", models.DateTimeField()),
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
            ],
            options={
                "db_table": "usage_delta",
                "indexes": [models.Index(fields=["tenant_id", "quarter"], name="usage_delta_tenant")],
            },
        ),
        migrations.CreateModel(
            name="UsageQuarter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tenant_id", models.UUIDField()),
                ("quarter", models.DateTimeField()),
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
                ("key", models.UUIDField()),
            ],
            options={
                "db_table": "usage_quarter",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "quarter", "key"), name="usage_quarter_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="WalletEntry",
            fields=[
                ("id", models.UUIDField(default=apikit.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("kind", models.CharField(max_length=8)),
                ("amount", models.DecimalField(decimal_places=9, max_digits=38)),
                ("currency", models.CharField(max_length=3)),
                ("operation", models.CharField(max_length=120)),
                ("grant_id", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_by", models.CharField(max_length=200)),
            ],
            options={
                "db_table": "wallet_entry",
                "constraints": [models.UniqueConstraint(fields=("tenant_id", "operation"), name="wallet_entry_once")],
            },
        ),
        migrations.CreateModel(
            name="WalletGrant",
            fields=[
                ("id", models.UUIDField(default=apikit.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("amount", models.DecimalField(decimal_places=9, max_digits=38)),
                ("remaining", models.DecimalField(decimal_places=9, max_digits=38)),
                ("expires_at", models.DateTimeField(null=True)),
                ("note", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_by", models.CharField(max_length=200)),
            ],
            options={
                "db_table": "wallet_grant",
                "indexes": [
                    models.Index(fields=["tenant_id", "expires_at"], name="wallet_grant_order"),
                    models.Index(
                        condition=models.Q(("remaining__gt", 0)), fields=["expires_at"], name="wallet_grant_due"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount__gt", 0), ("remaining__gte", 0), ("remaining__lte", models.F("amount"))
                        ),
                        name="wallet_grant_sane",
                    )
                ],
            },
        ),
        migrations.RunSQL(SUMS, migrations.RunSQL.noop),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
    ]

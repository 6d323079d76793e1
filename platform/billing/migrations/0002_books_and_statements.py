import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models

import apikit.ids

LEDGER = """
ALTER TABLE usage_entry ADD COLUMN feature varchar(32) NOT NULL DEFAULT '',
  ADD COLUMN on_wallet boolean NOT NULL DEFAULT false, ADD COLUMN tags bytea[] NOT NULL DEFAULT '{}';
"""

# A lock of its own: the number before was that of the queue's lanes too. The month is the tenant's own.
PERIODS = """
CREATE OR REPLACE FUNCTION public.parlance_open_period(origin date) RETURNS date LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  candidate date := origin;
BEGIN
  LOOP
    PERFORM pg_advisory_xact_lock_shared(7265003, to_char(candidate, 'YYYYMM')::int);
    IF NOT EXISTS (SELECT FROM public.billing_period WHERE period = candidate AND status = 'closed') THEN
      RETURN candidate;
    END IF;
    candidate := (candidate + interval '1 month')::date;
  END LOOP;
END $$;

CREATE FUNCTION public.parlance_origin_month(of_tenant uuid, at timestamptz) RETURNS date LANGUAGE sql STABLE AS $$
  SELECT date_trunc('month', at AT TIME ZONE coalesce(
    (SELECT time_zone FROM public.tenant WHERE id = of_tenant), 'UTC'))::date
$$;
"""

GUARDS = """
CREATE FUNCTION public.parlance_refuse_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a tenant''s currency and time zone are its contract''s. Make a new tenant for others.'
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER tenant_terms BEFORE UPDATE ON tenant FOR EACH ROW
  WHEN (OLD.currency <> NEW.currency OR OLD.time_zone <> NEW.time_zone) EXECUTE FUNCTION parlance_refuse_terms();

-- From `rated` on only the steps may be written, and from `closed` on nothing.
CREATE FUNCTION public.parlance_keep_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  steps text[] := ARRAY['status', 'reviewed_at', 'reviewed_by', 'approved_at', 'approved_by', 'pushed_at', 'closed_at'];
BEGIN
  IF TG_OP = 'DELETE' OR OLD.status = 'closed' OR NEW.status = 'draft' OR to_jsonb(OLD) - steps <> to_jsonb(NEW) - steps
  THEN
    RAISE EXCEPTION '% of a % statement is refused. Add a correction to the next one.', TG_OP, OLD.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER statement_kept BEFORE UPDATE OR DELETE ON statement FOR EACH ROW
  WHEN (OLD.status <> 'draft') EXECUTE FUNCTION parlance_keep_statement();

CREATE FUNCTION public.parlance_keep_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM public.statement WHERE id IN (OLD.statement_id, NEW.statement_id) AND status <> 'draft') THEN
    RAISE EXCEPTION '% of a line of a rated statement is refused.', TG_OP USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER statement_line_kept BEFORE INSERT OR UPDATE OR DELETE ON statement_line
  FOR EACH ROW EXECUTE FUNCTION parlance_keep_line();

CREATE TRIGGER adjustment_kept BEFORE UPDATE OR DELETE ON adjustment FOR EACH ROW
  WHEN (OLD.status <> 'requested') EXECUTE FUNCTION parlance_refuse_change();
CREATE TRIGGER fx_table_kept BEFORE UPDATE OR DELETE ON fx_table FOR EACH ROW
  WHEN (OLD.approved_by IS NOT NULL) EXECUTE FUNCTION parlance_refuse_change();
CREATE FUNCTION public.parlance_keep_rate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM public.fx_table WHERE id IN (OLD.table_id, NEW.table_id) AND approved_by IS NOT NULL) THEN
    RAISE EXCEPTION '% of a rate of an approved table is refused. Make a new version.', TG_OP
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER fx_rate_kept BEFORE INSERT OR UPDATE OR DELETE ON fx_rate
  FOR EACH ROW EXECUTE FUNCTION parlance_keep_rate();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0001_initial"),
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                ("id", models.UUIDField(default=apikit.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("credit", "Credit"), ("debit", "Debit"), ("reversal", "Reversal")], max_length=8
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=9, help_text="What is added to the bill; a credit is below 0.", max_digits=38
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.CharField(max_length=32)),
                ("text", models.CharField(max_length=500)),
                ("evidence", models.CharField(blank=True, default="", max_length=500)),
                ("subject_id", models.UUIDField(help_text="The job that is reversed.", null=True)),
                ("subject_created_at", models.DateTimeField(null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("requested", "Requested"), ("approved", "Approved"), ("rejected", "Rejected")],
                        default="requested",
                        max_length=9,
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_by", models.CharField(max_length=200)),
                ("approved_by", models.CharField(max_length=200, null=True)),
                ("approved_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "adjustment",
            },
        ),
        migrations.CreateModel(
            name="Contract",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tenant_id", models.UUIDField()),
                ("starts_on", models.DateField()),
                ("plan", models.CharField(blank=True, default="", max_length=64)),
                ("legal_name", models.CharField(blank=True, default="", max_length=200)),
                ("address", models.TextField(blank=True, default="")),
                ("registration_number", models.CharField(blank=True, default="", max_length=64)),
                ("tax_name", models.CharField(blank=True, default="", max_length=64)),
                ("tax_percent", models.DecimalField(decimal_places=4, default=0, max_digits=7)),
                ("collection", models.CharField(default="none", max_length=16)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_by", models.CharField(max_length=200)),
            ],
            options={
                "db_table": "billing_contract",
            },
        ),
        migrations.CreateModel(
            name="FxRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3)),
                ("into", models.CharField(max_length=3)),
                ("rate", models.DecimalField(decimal_places=12, max_digits=38)),
            ],
            options={
                "db_table": "fx_rate",
            },
        ),
        migrations.CreateModel(
            name="FxTable",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.IntegerField(unique=True)),
                ("effective_from", models.DateField()),
                ("source", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_by", models.CharField(max_length=200)),
                ("approved_by", models.CharField(max_length=200, null=True)),
                ("approved_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "fx_table",
            },
        ),
        migrations.CreateModel(
            name="Statement",
            fields=[
                ("id", models.UUIDField(default=apikit.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("period", models.DateField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("rated", "Rated"),
                            ("reviewed", "Reviewed"),
                            ("approved", "Approved"),
                            ("pushed", "Pushed"),
                            ("closed", "Closed"),
                        ],
                        default="draft",
                        max_length=8,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("time_zone", models.CharField(max_length=64)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("legal_name", models.CharField(max_length=200)),
                ("address", models.TextField(blank=True, default="")),
                ("registration_number", models.CharField(blank=True, default="", max_length=64)),
                ("tax_name", models.CharField(blank=True, default="", max_length=64)),
                ("tax_percent", models.DecimalField(decimal_places=4, default=0, max_digits=7)),
                ("collection", models.CharField(default="none", max_length=16)),
                ("subtotal", models.DecimalField(decimal_places=9, max_digits=38)),
                ("tax", models.DecimalField(decimal_places=9, max_digits=38)),
                ("total", models.DecimalField(decimal_places=9, max_digits=38)),
                (
                    "from_wallet",
                    models.DecimalField(
                        decimal_places=9, help_text="Part of the total that a wallet paid.", max_digits=38
                    ),
                ),
                ("due", models.DecimalField(decimal_places=9, max_digits=38)),
                ("entries", models.BigIntegerField()),
                ("content_hash", models.CharField(max_length=64)),
                ("drafted_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("rated_at", models.DateTimeField(null=True)),
                ("reviewed_at", models.DateTimeField(null=True)),
                ("reviewed_by", models.CharField(max_length=200, null=True)),
                ("approved_at", models.DateTimeField(null=True)),
                ("approved_by", models.CharField(max_length=200, null=True)),
                ("pushed_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "statement",
            },
        ),
        migrations.CreateModel(
            name="StatementLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tenant_id", models.UUIDField()),
                ("ordinal", models.IntegerField()),
                ("kind", models.CharField(max_length=8)),
                ("description", models.CharField(max_length=500)),
                ("meter", models.CharField(blank=True, default="", max_length=16)),
                ("engine", models.CharField(blank=True, default="", max_length=64)),
                ("model", models.CharField(blank=True, default="", max_length=64)),
                ("mode", models.CharField(blank=True, default="", max_length=8)),
                ("feature", models.CharField(blank=True, default="", max_length=32)),
                ("book_version", models.IntegerField(null=True)),
                ("origin_period", models.DateField(null=True)),
                (
                    "subject_id",
                    models.UUIDField(
                        help_text="The adjustment of an `adjust` line that a person asked for.", null=True
                    ),
                ),
                ("quantity", models.BigIntegerField(default=0)),
                ("unit_price", models.DecimalField(decimal_places=9, max_digits=38, null=True)),
                ("unit_size", models.BigIntegerField(null=True)),
                ("ledger_price", models.DecimalField(decimal_places=9, max_digits=38, null=True)),
                ("tier", models.CharField(blank=True, default="", max_length=64)),
                ("formula", models.CharField(max_length=200)),
                ("entries", models.BigIntegerField(default=0)),
                ("amount", models.DecimalField(decimal_places=9, max_digits=38)),
            ],
            options={
                "db_table": "statement_line",
            },
        ),
        migrations.RemoveConstraint(
            model_name="price",
            name="price_once",
        ),
        migrations.AddField(
            model_name="price",
            name="feature",
            field=models.CharField(blank=True, default="", max_length=32),
        ),
        migrations.AddField(
            model_name="price",
            name="included",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="price",
            name="tenant_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="price",
            name="tier_mode",
            field=models.CharField(blank=True, default="", max_length=10),
        ),
        migrations.AddField(
            model_name="price",
            name="tiers",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="pricebook",
            name="approved_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="pricebook",
            name="approved_by",
            field=models.CharField(max_length=200, null=True),
        ),
        migrations.AddField(
            model_name="pricebook",
            name="base_version",
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name="pricebook",
            name="created_by",
            field=models.CharField(default="installation", max_length=200),
        ),
        migrations.AddField(
            model_name="pricebook",
            name="kind",
            field=models.CharField(choices=[("price", "Price"), ("cost", "Cost")], default="price", max_length=5),
        ),
        migrations.AddField(
            model_name="pricebook",
            name="minimum_commit",
            field=models.DecimalField(decimal_places=9, default=0, max_digits=38),
        ),
        migrations.AddField(
            model_name="pricebook",
            name="note",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AddField(
            model_name="pricebook",
            name="plan",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="pricebook",
            name="tenant_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name="pricebook",
            index=models.Index(
                condition=models.Q(("tenant_id", None), _negated=True), fields=["tenant_id"], name="price_book_tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.UniqueConstraint(
                fields=("book", "engine", "model", "mode", "feature", "meter"), name="price_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(
                condition=models.Q(("included__gte", 0), ("tier_mode__in", ["", "graduated", "volume", "package"])),
                name="price_tiers",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricebook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by", None),
                    models.Q(("approved_by", models.F("created_by")), _negated=True),
                    _connector="OR",
                ),
                name="price_book_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricebook",
            constraint=models.CheckConstraint(condition=models.Q(("minimum_commit__gte", 0)), name="price_book_commit"),
        ),
        migrations.AddIndex(
            model_name="adjustment",
            index=models.Index(fields=["tenant_id", "-id"], name="adjustment_list"),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by", None),
                    models.Q(("approved_by", models.F("created_by")), _negated=True),
                    _connector="OR",
                ),
                name="adjustment_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__lt", 0), ("kind", "credit")),
                    models.Q(("amount__gt", 0), ("kind", "debit")),
                    ("kind", "reversal"),
                    _connector="OR",
                ),
                name="adjustment_sign",
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.UniqueConstraint(fields=("tenant_id", "starts_on"), name="billing_contract_once"),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("starts_on__day", 1), ("tax_percent__gte", 0), ("tax_percent__lt", 100)),
                name="billing_contract_sane",
            ),
        ),
        migrations.AddConstraint(
            model_name="fxtable",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by", None),
                    models.Q(("approved_by", models.F("created_by")), _negated=True),
                    _connector="OR",
                ),
                name="fx_table_four_eyes",
            ),
        ),
        migrations.AddField(
            model_name="fxrate",
            name="table",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="rates", to="billing.fxtable"
            ),
        ),
        migrations.AddIndex(
            model_name="statement",
            index=models.Index(fields=["tenant_id", "-id"], name="statement_list"),
        ),
        migrations.AddIndex(
            model_name="statement",
            index=models.Index(fields=["period", "status"], name="statement_board"),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.UniqueConstraint(fields=("tenant_id", "period"), name="statement_once"),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by", None),
                    models.Q(("approved_by", models.F("reviewed_by")), _negated=True),
                    _connector="OR",
                ),
                name="statement_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "due",
                        django.db.models.expressions.CombinedExpression(
                            models.F("total"), "-", models.F("from_wallet")
                        ),
                    ),
                    (
                        "total",
                        django.db.models.expressions.CombinedExpression(models.F("subtotal"), "+", models.F("tax")),
                    ),
                ),
                name="statement_sums",
            ),
        ),
        migrations.AddField(
            model_name="statementline",
            name="statement",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="billing.statement"
            ),
        ),
        migrations.AddConstraint(
            model_name="fxrate",
            constraint=models.UniqueConstraint(fields=("table", "currency", "into"), name="fx_rate_once"),
        ),
        migrations.AddConstraint(
            model_name="fxrate",
            constraint=models.CheckConstraint(condition=models.Q(("rate__gt", 0)), name="fx_rate_sane"),
        ),
        migrations.AddConstraint(
            model_name="statementline",
            constraint=models.UniqueConstraint(fields=("statement", "ordinal"), name="statement_line_once"),
        ),
        migrations.RunSQL(LEDGER, migrations.RunSQL.noop),
        migrations.RunSQL(PERIODS, migrations.RunSQL.noop),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
    ]

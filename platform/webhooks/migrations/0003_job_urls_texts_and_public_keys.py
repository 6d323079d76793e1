from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0002_health_log_replay_and_mail")]

    operations = [
        migrations.AddField(
            model_name="webhookendpoint",
            name="kind",
            field=models.CharField(
                choices=[("endpoint", "Endpoint"), ("job", "Job")], db_default="endpoint", max_length=8
            ),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="include_text",
            field=models.BooleanField(db_default=False, help_text="Bodies carry the text, see `EventText`."),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="public_key",
            field=models.CharField(db_default="", max_length=64),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="previous_public_key",
            field=models.CharField(db_default="", max_length=64),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="previous_key_expires_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="last_named_at",
            field=models.DateTimeField(help_text="When a job last named this URL, to the day.", null=True),
        ),
        migrations.AddIndex(
            model_name="webhookendpoint",
            index=models.Index(
                condition=models.Q(("enabled", True), ("kind", "endpoint")),
                fields=["tenant_id", "livemode"],
                name="webhook_endpoint_fanout",
            ),
        ),
        migrations.CreateModel(
            name="JobWebhook",
            fields=[
                ("subject_id", models.UUIDField(primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("endpoint_id", models.UUIDField()),
                ("created_at", models.DateTimeField(db_default=Now())),
            ],
            options={
                "db_table": "job_webhook",
                "indexes": [models.Index(fields=["created_at"], name="job_webhook_age")],
            },
        ),
        migrations.CreateModel(
            name="EventText",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "created_at", "event_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("event_id", models.UUIDField()),
                ("tenant_id", models.UUIDField()),
                ("subject_id", models.UUIDField()),
                ("body", models.BinaryField(null=True)),
                ("until_delivered", models.BooleanField()),
                ("forgotten", models.CharField(max_length=16, null=True)),
            ],
            options={"db_table": "event_text", "managed": False},
        ),
        migrations.RunSQL(
            """
            CREATE TABLE event_text (
              created_at timestamptz NOT NULL, event_id uuid NOT NULL, tenant_id uuid NOT NULL,
              subject_id uuid NOT NULL, body bytea, until_delivered boolean NOT NULL, forgotten varchar(16),
              PRIMARY KEY (created_at, event_id),
              CONSTRAINT event_text_forgotten CHECK (body IS NULL OR forgotten IS NULL)
            ) PARTITION BY RANGE (created_at);
            CREATE INDEX event_text_subject ON event_text (subject_id) WHERE body IS NOT NULL;
            SELECT parlance_make_partitions('event_text', 'day', 3);
            """,
            "DROP TABLE event_text",
        ),
    ]

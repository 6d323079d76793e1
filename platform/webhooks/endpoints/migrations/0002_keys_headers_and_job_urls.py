from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhook_endpoints", "0001_initial")]

    operations = [
        migrations.AddField("webhooktarget", "signing_key", models.BinaryField(null=True)),
        migrations.AddField("webhooktarget", "previous_signing_key", models.BinaryField(null=True)),
        migrations.AddField(
            "webhooktarget",
            "headers",
            models.BinaryField(help_text="The tenant's own headers as JSON, sealed: they may be secrets.", null=True),
        ),
        migrations.AddField("webhooktarget", "job_livemode", models.BooleanField(null=True)),
        migrations.AddField("webhooktarget", "url_digest", models.BinaryField(null=True)),
        migrations.AddConstraint(
            "webhooktarget",
            models.UniqueConstraint(fields=("job_livemode", "url_digest"), name="webhook_target_job_url"),
        ),
        migrations.CreateModel(
            name="WebhookJobSecret",
            fields=[
                ("livemode", models.BooleanField(primary_key=True, serialize=False)),
                ("secret", models.BinaryField()),
                ("previous_secret", models.BinaryField(null=True)),
                ("previous_expires_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "webhook_job_secret"},
        ),
    ]

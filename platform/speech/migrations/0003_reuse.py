from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("speech", "0002_options")]

    operations = [
        migrations.AddField(
            model_name="transcriptionrequest",
            name="reuse",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Whether an earlier result for the same may be the answer."
            ),
        ),
        migrations.CreateModel(
            name="SharedResult",
            fields=[
                ("job_id", models.UUIDField(primary_key=True, serialize=False)),
                ("livemode", models.BooleanField()),
                (
                    "fingerprint",
                    models.BinaryField(help_text="SHA-256 over the recording's hash and everything asked of it."),
                ),
                ("leads", models.BooleanField()),
            ],
            options={
                "db_table": "shared_result",
                "indexes": [
                    models.Index(
                        condition=models.Q(("leads", False)),
                        fields=["livemode", "fingerprint", "job_id"],
                        name="shared_result_followers",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("leads", True)),
                        fields=("livemode", "fingerprint"),
                        name="shared_result_leader",
                    )
                ],
            },
        ),
    ]

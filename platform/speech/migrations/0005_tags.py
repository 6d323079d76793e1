from django.db import migrations, models

_KNOWN_TAGS = """INSERT INTO transcription_tag (livemode, tag, job_id)
 SELECT livemode, unnest(tags), job_id FROM transcription_request WHERE tags <> '{}' ON CONFLICT DO NOTHING"""


class Migration(migrations.Migration):
    dependencies = [("speech", "0004_speech")]

    operations = [
        migrations.CreateModel(
            name="TranscriptionTag",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "livemode", "tag", "job_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("livemode", models.BooleanField()),
                ("tag", models.CharField(max_length=64)),
                ("job_id", models.UUIDField()),
            ],
            options={"db_table": "transcription_tag"},
        ),
        migrations.RunSQL(_KNOWN_TAGS, migrations.RunSQL.noop),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("speech", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="transcriptionrequest",
            name="presentation",
            field=models.JSONField(
                db_default={}, default=dict, help_text="How a route answers that decides it at the request."
            ),
        ),
        migrations.AddField(
            model_name="transcriptionrequest",
            name="sha256",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="Of the source file, once known.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="transcriptionrequest",
            name="reused_from",
            field=models.UUIDField(help_text="The job whose result this one took over.", null=True),
        ),
    ]

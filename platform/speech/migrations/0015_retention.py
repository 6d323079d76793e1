from django.db import migrations, models

_HELP = "Seconds from the job's end to the erasure of its content; 0: once it was fetched."


class Migration(migrations.Migration):
    dependencies = [("speech", "0014_uploads_in_parts")]

    operations = [
        migrations.AddField(
            model_name=name,
            name="delete_after_s",
            field=models.BigIntegerField(help_text=_HELP, null=True),
        )
        for name in ("transcriptionrequest", "speechrequest")
    ]

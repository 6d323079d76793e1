from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="readable_ms",
            field=models.BigIntegerField(db_default=0, help_text="How much of a running job's audio was read as text."),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("speech", "0010_kept_files")]

    operations = [
        migrations.AddField(
            model_name="sharedresult",
            name="followed",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Whether others wait for this leader: it must tell them of its end.",
            ),
        ),
    ]

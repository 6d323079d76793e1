from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("speech", "0012_own_credentials")]

    operations = [
        migrations.AddField(
            model_name="speechrequest",
            name="style",
            field=models.CharField(blank=True, db_default="", default="", max_length=32),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_key_routing")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="limits",
            field=models.JSONField(
                db_default=models.Value({}, models.JSONField()), default=dict, help_text="Rates of the key's own."
            ),
        ),
    ]

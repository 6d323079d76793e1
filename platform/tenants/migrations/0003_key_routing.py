from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_tenant_policies")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="routing",
            field=models.JSONField(
                db_default=models.Value({}, models.JSONField()), default=dict, help_text="Which engines it may use."
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0006_key_self_service")]

    operations = [
        migrations.AddField("tenant", "closed_at", models.DateTimeField(null=True)),
        migrations.AddField("tenant", "erase_at", models.DateTimeField(null=True)),
        migrations.AddField("tenant", "erased_at", models.DateTimeField(null=True)),
    ]

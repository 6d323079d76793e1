from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0002_events_of_a_subject")]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="user_agent",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="request_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=128),
        ),
        migrations.AddField(model_name="auditentry", name="livemode", field=models.BooleanField(null=True)),
    ]

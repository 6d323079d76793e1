from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX outbox_event_subject ON outbox_event (subject_id)", "DROP INDEX outbox_event_subject"
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0004_attempts")]

    operations = [
        migrations.CreateModel(
            name="Quarantine",
            fields=[
                ("since", models.DateTimeField(primary_key=True, serialize=False)),
                ("taken_at", models.DateTimeField()),
            ],
            options={"db_table": "quarantine"},
        ),
    ]

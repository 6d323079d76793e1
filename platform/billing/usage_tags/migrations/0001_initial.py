from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="UsageTag",
            fields=[
                ("digest", models.BinaryField(primary_key=True, serialize=False)),
                ("tag", models.CharField(max_length=64)),
            ],
            options={
                "db_table": "usage_tag",
                "indexes": [models.Index(fields=["tag"], name="usage_tag_name")],
            },
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("speech", "0013_styles")]

    operations = [
        migrations.AddField(
            model_name="upload",
            name="part_bytes",
            field=models.BigIntegerField(
                help_text="The size of each part but the last; null: the file comes whole.", null=True
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="parts_id",
            field=models.TextField(
                blank=True, db_default="", default="", help_text="The store's own name for a file in parts."
            ),
        ),
        migrations.AddField(model_name="upload", name="completed_at", field=models.DateTimeField(null=True)),
    ]

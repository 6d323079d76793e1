import django.contrib.postgres.fields
from django.db import migrations, models

import apikit.ids


class Migration(migrations.Migration):
    dependencies = [
        ("speech", "0005_tags"),
    ]

    operations = [
        migrations.CreateModel(
            name="ContentPolicy",
            fields=[
                ("livemode", models.BooleanField(primary_key=True, serialize=False)),
                (
                    "deny_terms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=300), default=list, size=None
                    ),
                ),
                ("moderator_url", models.TextField(blank=True)),
                ("when_moderator_fails", models.CharField(default="refuse", max_length=8)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "db_table": "content_policy",
            },
        ),
        migrations.AddField(
            model_name="speechrequest",
            name="said_as",
            field=models.TextField(
                blank=True,
                db_default="",
                help_text="The text as the tenant's dictionary had it said; empty: as it was sent.",
            ),
        ),
        migrations.CreateModel(
            name="DictionaryEntry",
            fields=[
                ("id", models.UUIDField(default=apikit.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("livemode", models.BooleanField()),
                (
                    "language",
                    models.CharField(help_text="Lower case; without a region it holds for all of them.", max_length=35),
                ),
                ("term", models.CharField(max_length=300)),
                ("say_as", models.CharField(max_length=600)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "db_table": "dictionary_entry",
                "constraints": [
                    models.UniqueConstraint(fields=("livemode", "language", "term"), name="dictionary_entry_term")
                ],
            },
        ),
        migrations.CreateModel(
            name="VoiceAlias",
            fields=[
                ("id", models.UUIDField(default=apikit.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("livemode", models.BooleanField()),
                ("name", models.CharField(max_length=64)),
                ("voice", models.CharField(max_length=128)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "db_table": "voice_alias",
                "constraints": [models.UniqueConstraint(fields=("livemode", "name"), name="voice_alias_name")],
            },
        ),
    ]
